import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Writable } from 'node:stream';
import request, { type Response } from 'supertest';
import { compose } from '../../src/program/compose.ts';
import { readConfig } from '../../src/program/config.ts';
import { createLog } from '../../src/telemetry/log.ts';
import type { TestDatabase } from './database.ts';
import { scratchDirectory } from './scratch-directory.ts';

type Method = 'get' | 'put' | 'patch' | 'post' | 'delete';

export interface Asked {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object | string;
  /** A value of undefined leaves out a header that is sent otherwise. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** `user:password`; by default the right one, undefined for none. */
  readonly login?: string | undefined;
}

/** The whole program in this process: real HTTP, core, worker and Postgres, composed as in production. */
export interface WholeBroker {
  readonly url: string;
  readonly password: string;
  /** Sends a request as a platform does: with login, version and JSON. */
  ask(method: Method, path: string, asked?: Asked): Promise<Response>;
  /** Everything it has logged so far, at level debug. */
  output(): string;
  readonly stop: () => Promise<void>;
}

export const testPassword = 'a-test-password';
export const operatorPassword = 'an-operator-password';
const encryptionKeys = `test:${randomBytes(32).toString('base64')}`;

/** @param env options of the program, over those that a test needs */
export async function startWholeBroker(
  database: TestDatabase,
  env: Readonly<Record<string, string>> = {},
): Promise<WholeBroker> {
  const { log, output } = capture();
  const scratch = scratchDirectory('whole');
  // Run by root, programs have another user, who must get in.
  chmodSync(scratch, 0o755);
  const config = readConfig({
    PORT: '0',
    HOST: '127.0.0.1',
    DATABASE_URL: databaseAddress(database),
    DATA_DIR: scratch,
    CATALOG_DIR: 'catalog:catalog/trial',
    BROKER_PASSWORD: testPassword,
    ENCRYPTION_KEYS: encryptionKeys,
    OPERATOR_PASSWORD: operatorPassword,
    // Whatever this machine has to keep programs apart.
    ALLOW_UNISOLATED: 'true',
    // So that what takes its time is seen in progress.
    ASYNC_PATIENCE: '250ms',
    // Several brokers of a test may share a database; each is a node of its own.
    NODE_NAME: basename(scratch),
    NODE_DIR: join(scratch, 'node'),
    ...env,
  });
  const program = await compose(config, log);
  async function stop(): Promise<void> {
    await program.close(5000);
  }
  await program.ready.catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  const url = program.introduction.address;
  return {
    url,
    password: testPassword,
    ask: (method, path, asked) => ask(url, method, path, asked),
    output,
    stop,
  };
}

export function databaseAddress({ config, schema }: TestDatabase): string {
  const { connectionString = '' } = config;
  const options = encodeURIComponent(`-c search_path=${schema}`);
  return `${connectionString}${connectionString.includes('?') ? '&' : '?'}options=${options}`;
}

function capture() {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString());
      done();
    },
  });
  const log = createLog({ logLevel: 'debug', logFormat: 'json' }, stream);
  return { log, output: () => lines.join('') };
}

async function ask(url: string, method: Method, path: string, asked: Asked = {}): Promise<Response> {
  const { query = {}, body, headers = {} } = asked;
  const login = 'login' in asked ? asked.login : `broker:${testPassword}`;
  const all: Record<string, string | undefined> = {
    'x-broker-api-version': '2.17',
    ...(login === undefined ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...headers,
  };
  const test = request(url)[method](path).query(query);
  for (const [name, value] of Object.entries(all)) if (value !== undefined) void test.set(name, value);
  return body === undefined ? test : test.send(typeof body === 'string' ? body : JSON.stringify(body));
}
