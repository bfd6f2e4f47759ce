/** Milliseconds that two ways to the same end take, in turns, so that a noisy moment hits both: the medians. */
export async function inTurns(
  rounds: number,
  ways: readonly [(round: number) => Promise<number>, (round: number) => Promise<number>],
): Promise<readonly [number, number]> {
  const took: [number[], number[]] = [[], []];
  // The first round warms up.
  for (let round = 0; round <= rounds; round += 1)
    for (const which of [0, 1] as const) {
      const ms = await ways[which](round);
      if (round > 0) took[which].push(ms);
    }
  return [median(took[0]), median(took[1])];
}

export async function timeOf(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? NaN;
}
