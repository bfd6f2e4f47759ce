import { randomBytes } from 'node:crypto';
import { Writable } from 'node:stream';
import { compose, type BrokerProgram } from '../../src/program/compose.ts';
import { readConfig } from '../../src/program/config.ts';
import { createLog, type Log } from '../../src/telemetry/log.ts';
import type { TestDatabase } from '../support/database.ts';

/** The whole program, of which everything is kept that it lets out. */
export interface RecordedProgram {
  readonly program: BrokerProgram;
  /** Sends a request; `what` is the name under which the answer is kept. */
  ask(what: string, method: string, path: string, asked?: Asked): Promise<Told>;
  /** Every answer, with its headers. */
  readonly answers: readonly { readonly what: string; readonly text: string }[];
  /** What the log was told, and what it wrote, at level debug. */
  readonly outputs: Map<string, string>;
}

export interface Asked {
  readonly body?: object | string;
  readonly query?: Readonly<Record<string, string>>;
  /** The value of the header; by default the right login. */
  readonly authorization?: string;
}

export interface Told {
  readonly status: number;
  readonly text: string;
}

export async function startRecorded(env: Readonly<Record<string, string>>): Promise<RecordedProgram> {
  const outputs = new Map<string, string>();
  const answers: { readonly what: string; readonly text: string }[] = [];
  const config = readConfig(env);
  const program = await compose(config, recordingLog(outputs));
  await program.ready;
  const login = basic(config.username, config.password ?? '');
  return {
    program,
    outputs,
    answers,
    async ask(what, method, path, { body, query = {}, authorization = login } = {}) {
      const url = new URL(path, program.introduction.address);
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
      const answer = await fetch(url, {
        method,
        headers: { authorization, 'x-broker-api-version': '2.17', 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await answer.text();
      answers.push({ what, text: `${JSON.stringify([...answer.headers])} ${text}` });
      return { status: answer.status, text };
    },
  };
}

export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function recordingLog(outputs: Map<string, string>): Log {
  const keep = (where: string, text: string) =>
    void outputs.set(where, `${outputs.get(where) ?? ''}${text}\n`);
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      keep('the log', chunk.toString());
      done();
    },
  });
  const log = createLog({ logLevel: 'debug', logFormat: 'json' }, stream);
  return {
    hide: (secrets) => log.hide(secrets),
    redact: (text) => log.redact(text),
    show: (text) => keep('the banner', text),
    note(level, message, fields) {
      keep('notes', JSON.stringify([level, message, fields]));
      log.note(level, message, fields);
    },
    event(event) {
      keep('events', JSON.stringify(event));
      log.event(event);
    },
    access(access) {
      keep('accesses', JSON.stringify(access));
      log.access(access);
    },
  };
}

export interface Role {
  /** Address of the database for this role. */
  readonly url: string;
  /** Breaks its connections. */
  cut(): Promise<void>;
  drop(): Promise<void>;
}

/** A role of the database with a password of the test's choice, that may do what the run's own role may. */
export async function makeRole({ pool, config, schema }: TestDatabase, password: string): Promise<Role> {
  const role = `role_${randomBytes(6).toString('hex')}`;
  await pool.query(`create role ${role} login in role current_user password '${password}'`);
  const { connectionString = '' } = config;
  const own = connectionString.replace(/^(\w+:\/\/)[^@]*@/, `$1${role}:${encodeURIComponent(password)}@`);
  const options = encodeURIComponent(`-c search_path=${schema}`);
  return {
    url: `${own}${own.includes('?') ? '&' : '?'}options=${options}`,
    cut: async () =>
      void (await pool.query('select pg_terminate_backend(pid) from pg_stat_activity where usename = $1', [
        role,
      ])),
    async drop() {
      await pool.query(`reassign owned by ${role} to current_user`);
      await pool.query(`drop role ${role}`);
    },
  };
}

/** Every row of every table, as the operator of the database sees it; by table. */
export async function dump({ pool, schema }: TestDatabase): Promise<ReadonlyMap<string, string>> {
  const tables = await pool.query<{ name: string }>(
    'select table_name as name from information_schema.tables where table_schema = $1',
    [schema],
  );
  const texts = new Map<string, string>();
  for (const { name } of tables.rows) {
    const { rows } = await pool.query<{ row: string }>(`select row_to_json(t)::text as row from "${name}" t`);
    texts.set(name, rows.map(({ row }) => row).join('\n'));
  }
  return texts;
}
