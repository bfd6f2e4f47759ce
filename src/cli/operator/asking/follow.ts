import { setTimeout as pause } from 'node:timers/promises';

/** Something that begins and ends, and is told at both. */
export interface Followed<One> {
  /** What began within so many milliseconds, on the broker's clock, the oldest first; absent: as many as usual. */
  readonly recent: (within?: number) => Promise<readonly One[]>;
  /** One as it is now; undefined when it is no more. */
  readonly again: (one: One) => Promise<One | undefined>;
  readonly idOf: (one: One) => string;
  readonly isOpen: (one: One) => boolean;
  readonly tell: (one: One) => void;
}

/** Milliseconds by which a row may be seen later than one that began after it: it was written in a longer transaction. */
const overlap = 60_000;
/** Milliseconds between two looks. */
const lookEvery = 1000;
/** How many are remembered as told: more than can begin within `overlap`. */
const remembered = 100_000;

/**
 * Tells what there is, and whatever begins or ends from then on, each once. It never ends by itself: a broker that is
 * away is waited for, and what happened meanwhile is told then.
 * @throws Error of the first look
 */
export async function follow<One>(
  { recent, again, idOf, isOpen, tell }: Followed<One>,
  signal?: AbortSignal,
): Promise<never> {
  const told = new Set<string>();
  const open = new Map<string, One>();

  function see(one: One): void {
    const id = idOf(one);
    const hasEnded = open.has(id) && !isOpen(one);
    if (isOpen(one)) open.set(id, one);
    else open.delete(id);
    if (told.has(id) && !hasEnded) return;
    told.add(id);
    for (const oldest of told) {
      if (told.size <= remembered) break;
      told.delete(oldest);
    }
    tell(one);
  }

  async function look(within: number): Promise<void> {
    const before = [...open.keys()];
    for (const one of await recent(within)) see(one);
    // What began so long ago that it is not among them.
    for (const id of before) {
      const one = open.get(id);
      const now = one && (await again(one));
      if (now) see(now);
      else open.delete(id);
    }
  }

  let looked = performance.now();
  for (const one of await recent()) see(one);
  for (let complaint = ''; ;) {
    await pause(lookEvery, undefined, { signal });
    const now = performance.now();
    try {
      await look(now - looked + overlap);
      looked = now;
      complaint = '';
    } catch (error) {
      const sentence = error instanceof Error ? error.message : String(error);
      if (sentence !== complaint) console.error(`Waiting: ${sentence}`);
      complaint = sentence;
    }
  }
}
