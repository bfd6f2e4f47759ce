import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { can, runAs, type Account } from '../system/account.ts';
import { copyPackage, findPackage, restoreLinks } from './package.ts';

export interface BinariesWanted {
  /** The folder of the cluster, where copies of the binaries may be put. */
  readonly home: string;
  readonly account: Account | undefined;
  /** The major version of the cluster that is there; undefined takes any. */
  readonly major: number | undefined;
  /** A folder with `postgres` and `initdb` that the operator chose: nothing else is looked at then. */
  readonly binDir?: string | undefined;
  /** A PATH to look at last. */
  readonly path?: string | undefined;
  /** The root of the npm package; the installed one by default. */
  readonly packageRoot?: string | undefined;
  readonly note: (message: string) => void;
}

const SYSTEM = '/usr/lib/postgresql';

/**
 * Finds the folder of a Postgres that runs here and fits the cluster: the operator's choice, else the npm package,
 * else the newest of the system's, else one on the PATH. Throws one sentence that says what to do when none is.
 */
export async function findBinaries(wanted: BinariesWanted): Promise<string> {
  const found: number[] = [];
  for (const candidate of candidates(wanted)) {
    const binDir = await candidate();
    const major = binDir && (await readMajor(binDir, wanted.account));
    if (!binDir || !major) continue;
    if (major === (wanted.major ?? major)) return binDir;
    found.push(major);
  }
  throw new Error(refusal(wanted, found));
}

type Candidate = () => Promise<string | undefined>;

function candidates(wanted: BinariesWanted): Candidate[] {
  if (wanted.binDir) return [async () => wanted.binDir];
  const folders = [...systemFolders(), ...(wanted.path ?? '').split(':').filter(Boolean)];
  return [() => preparePackage(wanted), ...folders.map((folder) => async () => folder)];
}

async function preparePackage(wanted: BinariesWanted): Promise<string | undefined> {
  const root = wanted.packageRoot ?? findPackage();
  if (!root) return undefined;
  const binDir = join(root, 'native', 'bin');
  if (restoreLinks(root) && (await can(wanted.account, '-x', join(binDir, 'postgres')))) return binDir;
  const copy = copyPackage(root, wanted.home);
  const who = wanted.account?.name ?? 'the database user';
  wanted.note(`Postgres runs from a copy in ${copy}: ${who} cannot use it in ${root}.`);
  return join(copy, 'native', 'bin');
}

function systemFolders(): string[] {
  const versions = existsSync(SYSTEM) ? readdirSync(SYSTEM) : [];
  return versions.sort((a, b) => Number(b) - Number(a)).map((version) => join(SYSTEM, version, 'bin'));
}

/** The major version, undefined where there is no Postgres or it does not run (another libc, no right to). */
async function readMajor(binDir: string, account: Account | undefined): Promise<number | undefined> {
  if (!existsSync(join(binDir, 'initdb'))) return undefined;
  const answer = await runAs(account, join(binDir, 'postgres'), ['--version']).catch(() => '');
  return Number(/\d+/.exec(answer)?.[0]) || undefined;
}

function refusal({ home, major, binDir }: BinariesWanted, found: number[]): string {
  if (found.length > 0) {
    return (
      `The database in ${home} belongs to Postgres ${major}, and here is only Postgres ${found.join(', ')}: ` +
      `set PG_BIN_DIR to the bin folder of a Postgres ${major} to go on with it (or to move its data out with ` +
      `pg_dump), or move the folder away to begin with an empty database.`
    );
  }
  const where = binDir ? `in ${binDir}` : 'for this machine';
  return `No Postgres that runs here was found ${where}: set DATABASE_URL to a database, or PG_BIN_DIR to the bin folder of an installed Postgres.`;
}
