import type { TestDatabase } from '../support/database.ts';
import { runProgram, type Running } from '../support/run-program.ts';
import { call } from '../support/started-brokers.ts';

/** A broker in a process of its own, which can be killed, stopped and told to end. */
export interface BrokerProcess {
  /** Also the application_name of its connections. */
  readonly name: string;
  readonly pid: number;
  readonly address: string;
  /** Sends a request as a platform does. */
  ask(method: string, path: string, body?: object): Promise<Answer>;
  /** Its log so far. */
  lines(): readonly LogLine[];
  readonly signal: Running['signal'];
  readonly ended: Running['ended'];
}

export interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface LogLine {
  readonly time: string;
  readonly message: string;
  readonly operation?: string;
}

/** What all brokers on one database must agree on. */
export interface Shared {
  readonly database: Pick<TestDatabase, 'config' | 'schema'>;
  readonly dataDir: string;
  readonly catalogDir: string;
}

const key = Buffer.alloc(32, 7).toString('base64');

export async function startBrokerProcess(
  name: string,
  shared: Shared,
  env: Readonly<Record<string, string>> = {},
): Promise<BrokerProcess> {
  const running = runProgram([], { ...environmentOf(name, shared), ...env });
  const { signal, ended, output, shows, child } = running;
  const [, address = ''] = await shows(/"message":"ready".*"address":"([^"]+)"/);
  return {
    name,
    address,
    pid: child.pid ?? 0,
    signal,
    ended,
    lines: () => linesOf(output()),
    async ask(method, path, body) {
      const answer = await call('broker:p', `${address}${path}`, { method, ...(body ? { body } : {}) });
      return { status: answer.status, body: (await answer.json()) as Answer['body'] };
    },
  };
}

/** What a broker is started with. */
export function environmentOf(
  name: string,
  { database, dataDir, catalogDir }: Shared,
): Readonly<Record<string, string>> {
  return {
    PORT: '0',
    // So that what takes its time is seen in progress.
    ASYNC_PATIENCE: '250ms',
    HOST: '127.0.0.1',
    DATABASE_URL: addressOf(database, name),
    DATA_DIR: dataDir,
    CATALOG_DIR: catalogDir,
    BROKER_PASSWORD: 'p',
    ENCRYPTION_KEYS: `1:${key}`,
    LOG_LEVEL: 'debug',
    LOG_FORMAT: 'json',
    // Programs of these tests lie in the checkout, and tell their pids as the machine has them.
    NODE_SANDBOX: 'off',
    ALLOW_UNISOLATED: 'true',
    // Several of them share a data directory.
    NODE_ROLE: 'false',
  };
}

function addressOf({ config: { connectionString = '' }, schema }: Shared['database'], name: string): string {
  const settings = new URLSearchParams({ options: `-c search_path=${schema}`, application_name: name });
  return `${connectionString}${connectionString.includes('?') ? '&' : '?'}${settings.toString()}`;
}

/** Whole lines only: the last one may still be coming. */
function linesOf(output: string): readonly LogLine[] {
  return output
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as LogLine);
}
