import { once } from 'node:events';
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { readCatalogDirs } from '../../config/catalog-directories.ts';
import { path } from '../../config/kinds.ts';
import { isOfferingName } from '../../catalog/files.ts';
import type { LoadResult } from '../../catalog/compile.ts';
import { defineCommand } from '../command.ts';
import { anyArguments, flag, option, someText } from '../parameters.ts';
import { catalogReader } from './reader.ts';
import { print, printJson } from '../output/print.ts';

export const catalogLint = defineCommand({
  words: 'catalog lint',
  description: 'Check offering files, or all of the directories (else of CATALOG_DIR), without starting.',
  arguments: [anyArguments('paths', path(), 'offering files, or directories with such files')],
  options: {
    json: flag('--json', 'a list of what is wrong: file, line, column, path, reason and level of each'),
    watch: flag('--watch', 'again each time a file has changed, until Ctrl-C'),
    cluster: option('--cluster <name>', someText(), 'also have this cluster say what it would answer'),
  },
  async run([given], { json, watch, cluster }) {
    const files = given.filter(isFile);
    if (files.length > 0 && files.length < given.length)
      throw new Error('catalog lint takes offering files or directories, not both.');
    const directories = files.length > 0 ? [...new Set(files.map((file) => dirname(file)))] : given;
    return lint(directories.length > 0 ? directories : readCatalogDirs(), files, { json, watch, cluster });
  },
});

interface LintOptions {
  readonly json: true | undefined;
  readonly watch: true | undefined;
  /** The name of one that has a say. */
  readonly cluster: string | undefined;
}

/** Files with mistakes are no question for a cluster. */
async function withCluster(result: LoadResult, cluster: string): Promise<LoadResult> {
  const { catalog, problems } = result;
  if (!catalog) return result;
  const { isError } = await import('../../catalog/problem.ts');
  const { clusterProblems } = await import('./lint-cluster.ts');
  const found = await clusterProblems(catalog, cluster);
  return { catalog: found.some(isError) ? undefined : catalog, problems: [...problems, ...found] };
}

/** Gives the exit code. @param files of the directories, when not all of theirs are to be looked at */
async function lint(
  directories: readonly string[],
  files: readonly string[],
  { json, watch, cluster }: LintOptions,
): Promise<number> {
  const read = await catalogReader(directories, files.length > 0 ? files : undefined);
  const load = cluster === undefined ? read : async () => withCluster(await read(), cluster);
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
}

/** What is not there is meant as what its name says. */
function isFile(given: string): boolean {
  const found = statSync(given, { throwIfNoEntry: false });
  return found ? !found.isDirectory() : isOfferingName(given);
}

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
  printJson(problems);
  return problems.some(isError) ? 1 : 0;
}
