/** Chance that can be repeated: the same seed gives the same choices. */
export interface Chance {
  /** From 0 to below `count`. */
  below(count: number): number;
  /** One of those, which must be there. */
  of<One>(many: readonly One[]): One;
  /** True once in so many times. */
  once(inTimes: number): boolean;
}

export function chanceFrom(seed: number): Chance {
  let state = seed >>> 0;
  // mulberry32: small, and good enough to choose with.
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const below = (count: number) => Math.floor(next() * count);
  return {
    below,
    once: (inTimes) => below(inTimes) === 0,
    of<One>(many: readonly One[]) {
      const at = below(many.length);
      if (at >= many.length) throw new Error('There is nothing to choose from.');
      return many[at] as One;
    },
  };
}

/** What every program of this kind understands. */
export interface Bounds {
  readonly seed: number;
  readonly count: number;
  /** Milliseconds after which nothing new is begun. */
  readonly time: number;
}
