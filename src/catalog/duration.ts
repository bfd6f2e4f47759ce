/** Seconds of `90s`, `10m`, `12h` or `30d`. */
export function secondsOf(duration: string): number {
  return Number(duration.slice(0, -1)) * (secondsIn.get(duration.slice(-1)) ?? Number.NaN);
}

const secondsIn: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
]);
