import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { startWholeBroker, type WholeBroker } from '../support/whole-broker.ts';
import { until } from '../support/until.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

export const tsuruPassword = 'a-tsuru-password';

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export interface Sent {
  /** A form, unless `json`. Repeated names are lists. */
  readonly form?: Readonly<Record<string, string | readonly string[]>>;
  readonly json?: object;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** `user:password`; by default the offering's, undefined for none. */
  readonly login?: string | undefined;
}

export type Ask = (method: string, path: string, sent?: Sent) => Promise<Answer>;

/** Brokers on one database that are asked in turn, as behind a load balancer. */
export interface TsuruCloud {
  readonly brokers: () => readonly WholeBroker[];
  readonly database: () => TestDatabase;
  /** @param path below `/tsuru/`, beginning with the offering: `echo/resources` */
  readonly ask: Ask;
  /** Asks for the status until it is another one than 202; gives the last answer. */
  readonly settled: (offering: string, name: string) => Promise<Answer>;
  /** Creates an instance and waits until it is up. */
  readonly made: (offering: string, name: string, form?: Sent['form']) => Promise<void>;
}

/** To be called at the top of a test file: starts before its tests and stops after them. */
export function tsuruCloud(
  env: Readonly<Record<string, string>> = {},
  { brokers = 1 }: { readonly brokers?: number } = {},
): TsuruCloud {
  const dataDir = scratchDirectory('tsuru');
  // Run by root, programs have another user, who must get in.
  chmodSync(dataDir, 0o755);
  const started: WholeBroker[] = [];
  let database: TestDatabase | undefined;
  let turn = 0;
  beforeAll(async () => {
    database = await openTestDatabase();
    while (started.length < brokers) {
      // What the trial makes lies there for all of them, but each is a node of its own.
      const dirs = { DATA_DIR: dataDir, NODE_DIR: join(dataDir, `node-${started.length}`) };
      const options = { TSURU_PASSWORD: tsuruPassword, ...dirs, ...env };
      started.push(await startWholeBroker(database, options));
    }
  }, 30_000);
  afterAll(async () => {
    await Promise.all(started.map((one) => one.stop()));
    await database?.close();
  }, 30_000);
  const ask: Ask = (method, path, sent) =>
    send(started[turn++ % started.length]?.url ?? '', method, path, sent);
  const settled: TsuruCloud['settled'] = async (offering, name) => {
    const look = async () => {
      const answer = await ask('GET', `${offering}/resources/${name}/status`);
      return answer.status !== 202 && answer;
    };
    return until(`${offering} ${name} is no longer pending`, look);
  };
  return {
    brokers: () => started,
    database: () => database as TestDatabase,
    ask,
    settled,
    async made(offering, name, form = {}) {
      const { status, text } = await ask('POST', `${offering}/resources`, { form: { name, ...form } });
      expect({ status, text }).toEqual({ status: 201, text: '' });
      expect(await settled(offering, name)).toMatchObject({ status: 204, text: '' });
    },
  };
}

async function send(url: string, method: string, path: string, sent: Sent = {}): Promise<Answer> {
  const [offering = ''] = path.split('/');
  const login = 'login' in sent ? sent.login : `${offering}:${tsuruPassword}`;
  const { content, type } = contentOf(sent);
  const response = await fetch(`${url}/tsuru/${path}`, {
    method,
    headers: {
      accept: 'application/json',
      ...(login === undefined ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` }),
      ...(type === undefined ? {} : { 'content-type': type }),
      ...sent.headers,
    },
    ...(content === undefined ? {} : { body: content }),
  });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

function contentOf({ form, json, body }: Sent): { content?: string; type?: string } {
  if (json) return { content: JSON.stringify(json), type: 'application/json' };
  if (!form) return body === undefined ? {} : { content: body };
  const fields = Object.entries(form).flatMap(([name, value]) =>
    [value].flat().map((one): [string, string] => [name, one]),
  );
  const content = new URLSearchParams(fields).toString();
  return { content, type: 'application/x-www-form-urlencoded' };
}

export function envIn({ text }: Pick<Answer, 'text'>): Readonly<Record<string, string>> {
  const env = JSON.parse(text) as Record<string, unknown>;
  // As Go reads it: map[string]string.
  if (Object.values(env).some((value) => typeof value !== 'string'))
    throw new Error(`No map of texts: ${text}`);
  return env as Record<string, string>;
}

/** What an application does with the environment that an echo gave it; true when it is understood. */
export async function talksToEcho(env: Readonly<Record<string, string>>): Promise<boolean> {
  const response = await fetch(env['ECHO_URI'] ?? '', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ message: 'hello' }),
  });
  const body = (await response.json()) as { response?: string };
  if (response.status !== 200) expect(response.status).toBe(401);
  return body.response === 'hello';
}
