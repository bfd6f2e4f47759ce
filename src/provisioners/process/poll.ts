import { until } from '../../system/until.ts';

/**
 * Looks until it is so, as often as suits a program that starts or ends.
 * @param limit milliseconds
 * @returns whether it was so in time
 * @throws Error named AbortError when it was given up
 */
export async function poll(
  look: () => boolean | Promise<boolean>,
  limit: number,
  signal: AbortSignal,
): Promise<boolean> {
  return (await until(look, { first: 2, longest: 500, factor: 1.5, limit, signal })) === true;
}
