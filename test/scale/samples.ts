// How long something takes in two places, in turns: a moment in which the machine is busy hits both.
import { milliseconds, perSecond } from '../bench/table.ts';

/** Among few, and among very many. */
export type Pair<One> = readonly [few: One, many: One];

/** Milliseconds, or for a rate how many in a second. */
export interface Measured {
  readonly name: string;
  readonly half: Pair<number>;
  /** What one in a hundred takes longer than; absent: it is a rate. */
  readonly most?: Pair<number>;
}

export interface Sampling {
  /** Times it is done at most, and milliseconds after which it is not begun again. */
  readonly times?: number;
  readonly ms?: number;
}

/** The first time is left out, in which things are prepared. */
export async function sample(
  name: string,
  once: Pair<() => Promise<unknown>>,
  { times = 100, ms = 1000 }: Sampling = {},
): Promise<Measured> {
  for (const one of once) await one();
  const took: Pair<number[]> = [[], []];
  const begun = performance.now();
  for (let turn = 0; turn < times && performance.now() - begun < ms; turn++)
    for (const place of [0, 1] as const) took[place].push(await timed(once[place]));
  return summed(name, took);
}

export async function timed(once: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await once();
  return performance.now() - begun;
}

export function summed(name: string, [few, many]: Pair<readonly number[]>): Measured {
  const at = (took: readonly number[], share: number) =>
    took.toSorted((a, b) => a - b)[Math.floor(took.length * share)] ?? NaN;
  return { name, half: [at(few, 0.5), at(many, 0.5)], most: [at(few, 0.99), at(many, 0.99)] };
}

/** What has grown most comes first; of rates, what has fallen most. */
export function rowsOf(all: readonly Measured[]): readonly (readonly string[])[] {
  const grown = ({ half: [few, many], most }: Measured) => (most ? many / few : few / many);
  return [
    ['what', 'p50 of few', 'p99 of few', 'p50 of many', 'p99 of many', 'times'],
    ...all
      .toSorted((a, b) => grown(b) - grown(a))
      .map((one) => {
        const { name, half, most } = one;
        const shown = most
          ? [half[0], most[0], half[1], most[1]].map(milliseconds)
          : [perSecond(half[0]), '', perSecond(half[1]), ''];
        return [name, ...shown, grown(one).toFixed(2)];
      }),
  ];
}
