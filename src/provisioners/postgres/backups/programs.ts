import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PoolConfig } from 'pg';
import { Failure } from '../../../broker/errors.ts';
import type { Work } from '../../../broker/provisioner.ts';
import { openClient } from '../../../postgres/connections.ts';
import { isExecutable } from '../../../system/executables.ts';
import { type Program, runProgram } from '../../../system/run-program.ts';
import type { Session } from '../session.ts';
import { addressOf, type Server } from '../servers.ts';
import { authorityOf } from '../tls/encryption.ts';

/** Milliseconds, as hooks have for it. */
const limit = 3_600_000;

/** Who comes to a server, and where to. */
export interface Login {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** Programs of Postgres that fit a server. */
export interface Programs {
  /**
   * @param command without secrets; its first word is the name of the program
   * @returns what it wrote, when it is not written to a stream
   * @throws Failure when it fails
   */
  run(
    command: readonly [name: string, ...words: string[]],
    login: Login | undefined,
    streams: Pick<Program, 'from' | 'to'>,
  ): Promise<string>;
}

/**
 * Those of the server's own version, or else the next later ones: older ones cannot read it, and much later ones write what it does
 * not understand.
 * @param path where they are looked for, before the places where distributions put them
 * @throws Failure when there are none
 */
export async function findPrograms(
  path: string,
  { server, session, work }: { readonly server: Server; readonly session: Session; readonly work: Work },
): Promise<Programs> {
  const [row] = await session.ask("select current_setting('server_version_num')::int / 10000 as major");
  const wanted = Number(row?.['major']);
  const folder = await findFolder(path, wanted, work);
  return {
    async run([name, ...words], login, streams) {
      const { code, stdout, stderr, timedOut } = await inFolder((files) =>
        runProgram(
          { path },
          {
            command: [join(folder, name), ...words],
            cwd: '/',
            env: { PATH: path, LANG: 'C.UTF-8', ...(login && environmentOf(server, login, files)) },
            timeoutMs: limit,
            maxOutput: 50_000_000,
            signal: work.signal,
            ...streams,
          },
        ),
      );
      if (code === 0) return stdout;
      const why = timedOut ? `was ended after its limit of ${limit / 1000} s` : `failed (exit code ${code})`;
      throw new Failure(name, `The database could not be saved or put back: ${name} ${why}.`, {
        detail: work.redact(stderr.trim()).slice(-4000),
      });
    },
  };
}

/** Lends a folder that nobody else reads. */
export async function inFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'purveyor-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What all programs of Postgres read. A password must not stand on a command line. */
function environmentOf(
  server: Server,
  { user, password, database }: Login,
  folder: string,
): Record<string, string> {
  const { host, port, sslmode } = addressOf(server);
  const { ca, cert, key } = typeof server.ssl === 'object' ? server.ssl : {};
  const files = Object.entries({ PGSSLROOTCERT: ca, PGSSLCERT: cert, PGSSLKEY: key }).flatMap(
    ([name, text]) => {
      if (typeof text !== 'string' && !Buffer.isBuffer(text)) return [];
      const file = join(folder, name);
      writeFileSync(file, text, { mode: 0o600 });
      return [[name, file] as const];
    },
  );
  return {
    PGHOST: host,
    PGPORT: String(port),
    PGUSER: user,
    PGPASSWORD: password,
    PGDATABASE: database,
    PGSSLMODE: authorityOf(server.ssl)?.sslmode ?? sslmode,
    PGAPPNAME: 'purveyor backups',
    ...Object.fromEntries(files),
  };
}

/** As the server's administrator. */
export function administratorOf({ url }: Pick<Server, 'url'>): Omit<Login, 'database'> {
  const { user, password }: PoolConfig = openClient({ connectionString: url });
  return { user: user ?? '', password: typeof password === 'string' ? password : '' };
}

async function findFolder(path: string, wanted: number, work: Work): Promise<string> {
  const found: { readonly folder: string; readonly major: number }[] = [];
  for (const folder of foldersOf(path)) {
    const { stdout } = await runProgram(
      { path },
      {
        command: [join(folder, 'pg_dump'), '--version'],
        cwd: '/',
        env: { PATH: path },
        timeoutMs: 30_000,
        signal: work.signal,
      },
    );
    const major = Number(/ (\d+)/.exec(stdout)?.[1]);
    if (major === wanted) return folder;
    found.push({ folder, major });
  }
  const [next] = found.filter(({ major }) => major > wanted).toSorted((a, b) => a.major - b.major);
  if (next) return next.folder;
  throw new Failure(
    'no-program',
    `The operator must install pg_dump and pg_restore of PostgreSQL ${wanted} where the broker runs.`,
    {
      detail: `There are ${found.map(({ folder, major }) => `${major} in ${folder}`).join(', ') || 'none'}.`,
    },
  );
}

/** Where Debian and its like, and Red Hat and its like, have one of each version. */
const perVersion = [
  ['/usr/lib/postgresql', 'bin'],
  ['/usr', 'bin'],
] as const;
const usual = ['/usr/local/bin', '/usr/bin'];

function foldersOf(path: string): readonly string[] {
  const versions = perVersion.flatMap(([parent, child]) =>
    entriesOf(parent)
      .filter((name) => /^(\d+|pgsql-\d+)$/.test(name))
      .map((name) => join(parent, name, child)),
  );
  const all = [...path.split(':').filter((folder) => folder.startsWith('/')), ...usual, ...versions];
  return [...new Set(all)].filter((folder) =>
    ['pg_dump', 'pg_restore'].every((name) => isExecutable(join(folder, name))),
  );
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
