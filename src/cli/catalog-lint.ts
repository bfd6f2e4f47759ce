import { readCatalogDirs, readPath } from '../config/config.ts';
import { path } from '../config/kinds.ts';
import { defineCommand } from './command.ts';
import { anyArguments } from './parameters.ts';

export const catalogLint = defineCommand({
  words: 'catalog lint',
  description: 'Check the offering files of the directories (else of CATALOG_DIR) without starting.',
  arguments: [anyArguments('directories', path(), 'directories with offering files')],
  async run([given]) {
    const { loadCatalog } = await import('../catalog/load.ts');
    const { isError, problemLines } = await import('../catalog/problem.ts');
    const { countOf } = await import('../program/banner.ts');
    const { shippedTraits } = await import('../program/shipped.ts');
    const directories = given.length > 0 ? given : readCatalogDirs();
    const { catalog, problems } = await loadCatalog(directories, shippedTraits(), readPath());
    for (const line of problemLines(problems)) console.log(line);
    if (catalog) console.log(`The catalog is good: ${countOf(catalog)}.`);
    return problems.some(isError) ? 1 : 0;
  },
});
