import { readPath } from '../../config/config.ts';
import type { LoadResult } from '../../catalog/load.ts';

/**
 * Reads the offering files of these directories, each time it is called; what that takes is loaded here.
 * @param only the name or id of an offering, or files, when nothing but these and what they need is of interest
 */
export async function catalogReader(
  directories: readonly string[],
  only?: string | readonly string[],
): Promise<() => Promise<LoadResult>> {
  const { loadCatalog } = await import('../../catalog/load.ts');
  const { shippedTraits } = await import('../../program/shipped.ts');
  const traits = shippedTraits();
  return () => loadCatalog(directories, traits, readPath(), only);
}
