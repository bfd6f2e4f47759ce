import type { Catalog } from '../../broker/catalog.ts';
import { readPath } from '../../config/config.ts';
import type { LoadResult } from '../../catalog/compile.ts';

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

/** @throws when it has mistakes, which are told */
export async function requireCatalog(directories: readonly string[], only?: string): Promise<Catalog> {
  const { isError, problemLines } = await import('../../catalog/problem.ts');
  const { catalog, problems } = await (await catalogReader(directories, only))();
  if (catalog) return catalog;
  for (const line of problemLines(problems.filter(isError))) console.error(line);
  throw new Error('The catalog has mistakes: mend these first.');
}
