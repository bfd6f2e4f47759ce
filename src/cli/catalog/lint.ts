import { once } from 'node:events';
import { readCatalogDirs } from '../../config/catalog-directories.ts';
import { path } from '../../config/kinds.ts';
import type { LoadResult } from '../../catalog/load.ts';
import { defineCommand } from '../command.ts';
import { anyArguments, flag } from '../parameters.ts';
import { catalogReader } from './reader.ts';
import { print } from '../output/print.ts';

export const catalogLint = defineCommand({
  words: 'catalog lint',
  description: 'Check the offering files of the directories (else of CATALOG_DIR) without starting.',
  arguments: [anyArguments('directories', path(), 'directories with offering files')],
  options: {
    json: flag('--json', 'a list of what is wrong: file, line, column, path, reason and level of each'),
    watch: flag('--watch', 'again each time a file has changed, until Ctrl-C'),
  },
  async run([given], { json, watch }) {
    const directories = given.length > 0 ? given : readCatalogDirs();
    const load = await catalogReader(directories);
    const tell = json ? tellAsJson : tellAsLines;
    const { fingerprint } = await import('../../catalog/files.ts');
    const since = await fingerprint(directories);
    let code = await tell(await load());
    if (!watch) return code;
    const { watchCatalog } = await import('../../catalog/watch.ts');
    const watched = watchCatalog({
      directories,
      since,
      async load() {
        const result = await load();
        code = await tell(result);
        return result;
      },
      onCatalog: () => undefined,
      onProblems: () => undefined,
    });
    // The watch alone would let the process end.
    const alive = setInterval(() => undefined, 2 ** 30);
    await once(process, 'SIGINT');
    clearInterval(alive);
    await watched.close();
    return code;
  },
});

/** Gives the exit code. */
async function tellAsLines({ catalog, problems }: LoadResult): Promise<number> {
  const { isError, problemLines } = await import('../../catalog/problem.ts');
  const { countOf } = await import('../../program/banner.ts');
  for (const line of problemLines(problems)) print(line);
  if (catalog) print(`The catalog is good: ${countOf(catalog)}.`);
  return problems.some(isError) ? 1 : 0;
}

async function tellAsJson({ problems }: LoadResult): Promise<number> {
  const { isError } = await import('../../catalog/problem.ts');
  print(JSON.stringify(problems, undefined, 2));
  return problems.some(isError) ? 1 : 0;
}
