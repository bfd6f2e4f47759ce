/** Lets tasks run, few at once. */
export interface Turns {
  /** @throws Crowded when others have come since, for whom there is no room else */
  take<Value>(lane: string, task: () => Promise<Value>): Promise<Value>;
}

/** A task was turned away, and has not been begun. */
export class Crowded extends Error {}

interface Waiting {
  readonly start: () => void;
  readonly turnAway: () => void;
}

const mostOfLane = 16;
const mostWaiting = 256;

/**
 * Lanes have their turns one after the other, so that none waits for all that wait in another. In a lane the latest is
 * the first: the earlier ones are gone soonest, and who fills a lane with many does not keep the next one from its turn.
 */
export function createTurns(atOnce: number): Turns {
  const lanes = new Map<string, Waiting[]>();
  let running = 0;
  let waiting = 0;

  function next(): void {
    if (running >= atOnce) return;
    const [first] = lanes;
    if (!first) return;
    const [name, lane] = first;
    const latest = lane.pop();
    lanes.delete(name);
    if (lane.length > 0) lanes.set(name, lane);
    waiting -= 1;
    latest?.start();
  }

  function turnAway([name, lane]: [string, Waiting[]]): void {
    waiting -= 1;
    lane.shift()?.turnAway();
    if (lane.length === 0) lanes.delete(name);
  }

  function longest(): [string, Waiting[]] | undefined {
    return [...lanes].reduce<[string, Waiting[]] | undefined>(
      (found, one) => (found && found[1].length >= one[1].length ? found : one),
      undefined,
    );
  }

  return {
    take(name, task) {
      return new Promise((resolve, reject) => {
        const lane = lanes.get(name) ?? [];
        lanes.set(name, lane);
        lane.push({
          start() {
            running += 1;
            task()
              .then(resolve, reject)
              .finally(() => {
                running -= 1;
                next();
              });
          },
          turnAway: () => reject(new Crowded('There is no room for one more.')),
        });
        waiting += 1;
        if (lane.length > mostOfLane) turnAway([name, lane]);
        const largest = waiting > mostWaiting ? longest() : undefined;
        if (largest) turnAway(largest);
        next();
      });
    },
  };
}
