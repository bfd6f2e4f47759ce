import { ConfigError, type Environment, ourEnvironment, readValue } from './config.ts';
import { coreOptions } from './options.ts';
import { ownCatalog, standardCatalog } from './standard-catalog.ts';

/** CATALOG_DIR alone, for what needs no more. @throws ConfigError */
export function readCatalogDirs(env: Environment = ourEnvironment()): readonly string[] {
  return namedCatalogDirs(env) ?? standardCatalog();
}

/** Where a new offering file belongs: the first of CATALOG_DIR, and never what came with the program. @throws ConfigError */
export function readOwnCatalogDir(env: Environment = ourEnvironment()): string {
  return namedCatalogDirs(env)?.[0] ?? ownCatalog;
}

function namedCatalogDirs(env: Environment): readonly string[] | undefined {
  const problems: string[] = [];
  const directories = readValue(coreOptions.catalogDirs, env, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return directories as readonly string[] | undefined;
}
