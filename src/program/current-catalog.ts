import { join } from 'node:path';
import type { Catalog, ServicePlan } from '../broker/catalog.ts';
import type { ProvisionerTraits } from '../broker/provisioner.ts';
import { type CheckedFiles, compileFiles, type LoadResult } from '../catalog/compile.ts';
import type { readCatalog } from '../catalog/load.ts';
import { fingerprint } from '../catalog/files.ts';
import { isError, problemLines, type Problem } from '../catalog/problem.ts';
import { createReload } from '../catalog/reload.ts';
import { watchCatalog, type CatalogWatch } from '../catalog/watch.ts';
import { countOf } from './banner.ts';
import { rememberedCatalog } from './remembered-catalog.ts';
import type { Log } from '../telemetry/log.ts';

/** The catalog as its files are now. */
export interface CurrentCatalog {
  /** All that the files declare, whether anybody can make it or not. */
  catalog(): Catalog;
  /**
   * Follows the files from now on. A catalog with errors never goes on sale, and one without only after `prepare`
   * has ended.
   */
  watch(prepare: (plans: readonly ServicePlan[]) => Promise<Prepared>): CatalogWatch;
}

/** What there is of a catalog before it goes on sale. */
export interface Prepared {
  /** Instances of an older revision of one of its plans. */
  readonly older: number;
}

interface Directories {
  readonly catalogDirs: readonly string[];
  /** Where is kept what was found, for the next start; absent: nowhere. */
  readonly dataDir?: string;
}

/** @throws Error that lists all that is wrong with the offering files */
export async function openCurrentCatalog(
  { catalogDirs: directories, dataDir }: Directories,
  traits: Readonly<Record<string, ProvisionerTraits>>,
  log: Pick<Log, 'note'>,
): Promise<CurrentCatalog> {
  const since = await fingerprint(directories);
  const memory = dataDir === undefined ? undefined : join(dataDir, 'catalog.sealed');
  const remembered = await rememberedCatalog(memory, { directories, since, traits });
  const checked = remembered.files ?? (await read(directories, traits));
  const first = compileFiles(checked);
  if (!first.catalog) throw new Error(unusable(first.problems));
  tell(log, first.problems);
  if (first.catalog.offerings.length === 0)
    log.note('warn', 'the catalog is empty: there are no offering files in CATALOG_DIR');
  let catalog = first.catalog;
  const reload = createReload(directories, traits);
  return {
    catalog: () => catalog,
    watch(prepare) {
      void remembered.keep(checked);
      let older = 0;
      return watchCatalog({
        directories,
        since,
        load: () =>
          prepared(reload(), async (plans) => {
            ({ older } = await prepare(plans));
          }),
        onProblems: (problems) => tell(log, problems),
        onCatalog(fresh) {
          catalog = fresh;
          log.note('info', 'catalog loaded', { catalog: countOf(fresh), older });
        },
      });
    },
  };
}

/** Loaded when it is needed: most files are as they were at the last start. */
async function read(...asked: Parameters<typeof readCatalog>): Promise<CheckedFiles> {
  const loading = await import('../catalog/load.ts');
  return loading.readCatalog(...asked);
}

export function plansOf({ offerings }: Catalog): readonly ServicePlan[] {
  return offerings.flatMap(({ plans }) => plans);
}

async function prepared(
  loading: Promise<LoadResult>,
  prepare: (plans: readonly ServicePlan[]) => Promise<void>,
) {
  const result = await loading;
  if (result.catalog) await prepare(plansOf(result.catalog));
  return result;
}

function unusable(problems: readonly Problem[]): string {
  return ['The catalog cannot be used:', ...problemLines(problems).map((line) => `  ${line}`)].join('\n');
}

/** Mere warnings are for those who write the files: `catalog lint` shows them. */
function tell(log: Pick<Log, 'note'>, problems: readonly Problem[]): void {
  for (const problem of problems) {
    const [detail] = problemLines([problem]);
    log.note(isError(problem) ? 'error' : 'debug', 'catalog problem', { detail });
  }
  if (problems.some(isError)) {
    log.note('error', 'the catalog stays as it was until these problems are solved');
  }
}
