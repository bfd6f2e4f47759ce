import { randomUUID } from 'node:crypto';
import type { Response } from 'supertest';
import { openTestDatabase, type TestDatabase } from './database.ts';
import { idsOf, provisionBody, type Ids } from './instance-platform.ts';
import { requireLawful } from './lawful-answer.ts';
import { requireSpecified } from './openapi.ts';
import { tracesOf } from './traces.ts';
import { startWholeBroker, type Asked, type WholeBroker } from './whole-broker.ts';
import { until } from './until.ts';
import { scratchDirectory } from './scratch-directory.ts';

export type Method = 'get' | 'put' | 'patch' | 'post' | 'delete';
export type Members = Readonly<Record<string, unknown>>;

/** As in requests; members of `body` replace those that a platform sends, undefined leaves one out. */
export interface Sent extends Omit<Asked, 'body'> {
  readonly id?: string;
  readonly body?: Members | string;
}

export interface Instance {
  readonly id: string;
  readonly path: string;
  readonly ids: Ids;
}

export interface Binding {
  readonly id: string;
  readonly path: string;
  readonly instance: Instance;
  /** What the platform was told when it was made. */
  readonly told: Members & { readonly credentials?: Readonly<Record<string, string>> };
}

/**
 * A platform with brokers on one database, asked in turn, that sell the trial and the things of
 * test/support/catalog. It asks without accepts_incomplete unless a test says otherwise, and deals in instances
 * and bindings.
 */
export interface TrialPlatform {
  /** The first one. */
  readonly broker: () => WholeBroker;
  readonly database: () => TestDatabase;
  /** Where this broker keeps what is not in the database. */
  readonly dataDir: string;
  /** Sends a request and checks what holds for every answer. */
  readonly ask: (method: Method, path: string, asked?: Asked) => Promise<Response>;
  /** By default with a fresh id. */
  readonly provision: (plan: string, sent?: Sent) => Promise<Response>;
  /** One that is there: waits for it if it takes its time, and fails the test if it is not made. */
  readonly instance: (plan: string, sent?: Sent) => Promise<Instance>;
  readonly update: (instance: Instance, sent?: Sent) => Promise<Response>;
  readonly bind: (instance: Instance, sent?: Sent) => Promise<Response>;
  /** One that is there, or it fails the test. */
  readonly binding: (instance: Instance, sent?: Sent) => Promise<Binding>;
  readonly unbind: (binding: Pick<Binding, 'path' | 'instance'>, sent?: Sent) => Promise<Response>;
  readonly deprovision: (instance: Instance, sent?: Sent) => Promise<Response>;
  /** Polls `<path>/last_operation` until nothing is in progress any more; gives the last answer. */
  readonly untilEnded: (path: string, query?: Asked['query']) => Promise<Response>;
  /** Everything there is, as lines: rows of all tables, and what was made. */
  readonly traces: () => Promise<readonly string[]>;
  /** For a request that must be answered with a 4xx and must not change anything. */
  readonly refused: (request: () => Promise<Response>) => Promise<Response>;
}

export const incomplete = { accepts_incomplete: 'true' } as const;

/**
 * To be called at the top of a test file: it starts before its tests and stops after them.
 * @param env options of all brokers
 */
export function trialPlatform(
  env: Readonly<Record<string, string>> = {},
  { brokers = 1 }: { readonly brokers?: number } = {},
): TrialPlatform {
  const dataDir = scratchDirectory('osb');
  const started: WholeBroker[] = [];
  let database: TestDatabase | undefined;
  let turn = 0;

  beforeAll(async () => {
    database = await openTestDatabase();
    const catalog = { CATALOG_DIR: 'catalog:catalog/trial:test/support/catalog' };
    const options = { ...catalog, ASYNC_PATIENCE: '250ms', DATA_DIR: dataDir, ...env };
    while (started.length < brokers) started.push(await startWholeBroker(database, options));
  });
  afterAll(async () => {
    await Promise.all(started.map((one) => one.stop()));
    await database?.close();
  });
  const broker = () => required(started[0]);
  const next = () => required(started[turn++ % started.length]);
  const traces = () => tracesOf(required(database), dataDir);
  const ask: TrialPlatform['ask'] = async (method, path, asked = {}) =>
    checked(method, path, asked, await next().ask(method, path, asked));
  return {
    broker,
    database: () => required(database),
    dataDir,
    ask,
    traces,
    ...requests(ask),
    async refused(request) {
      const before = await traces();
      const answer = await request();
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(await traces()).toEqual(before);
      return answer;
    },
  };
}

/** Gives the answer when it is one that the specification allows. */
function checked(method: Method, path: string, { query = {} }: Asked, answer: Response): Response {
  requireLawful({ method, path, query }, answer);
  if (answer.status !== 304) requireSpecified({ method, path, status: answer.status, body: answer.body });
  return answer;
}

type Requests = Omit<TrialPlatform, 'broker' | 'database' | 'dataDir' | 'ask' | 'traces' | 'refused'>;

function requests(ask: TrialPlatform['ask']): Requests {
  const untilEnded = poll(ask);
  const provision: Requests['provision'] = (plan, { id = randomUUID(), body, ...asked } = {}) =>
    ask('put', instancePath(id), { ...asked, body: withDefaults(provisionBody(plan), body) });
  const bind: Requests['bind'] = (instance, { id = randomUUID(), body, ...asked } = {}) =>
    ask('put', bindingPath(instance, id), { ...asked, body: withDefaults(instance.ids, body) });
  const remove = (path: string, { ids }: Instance, { query, body, ...asked }: Sent = {}) =>
    ask('delete', path, { ...asked, query: { ...ids, ...query }, ...(body === undefined ? {} : { body }) });
  return {
    provision,
    bind,
    update: ({ path, ids }, { body, ...asked } = {}) =>
      ask('patch', path, { ...asked, body: withDefaults({ service_id: ids.service_id }, body) }),
    unbind: ({ path, instance }, sent) => remove(path, instance, sent),
    deprovision: (instance, sent) => remove(instance.path, instance, sent),
    async instance(plan, { id = randomUUID(), ...sent } = {}) {
      const { status, text } = await provision(plan, { ...sent, id });
      const path = instancePath(id);
      if (status === 202) expect((await untilEnded(path)).body).toMatchObject({ state: 'succeeded' });
      else expect({ status, text }).toMatchObject({ status: 201 });
      return { id, path, ids: idsOf(plan) };
    },
    async binding(instance, { id = randomUUID(), ...sent } = {}) {
      const { status, text, body } = await bind(instance, { ...sent, id });
      const path = bindingPath(instance, id);
      if (status === 202) {
        expect((await untilEnded(path)).body).toMatchObject({ state: 'succeeded' });
        return { id, path, instance, told: (await ask('get', path)).body as Binding['told'] };
      }
      expect({ status, text }).toMatchObject({ status: 201 });
      return { id, path, instance, told: body as Binding['told'] };
    },
    untilEnded,
  };
}

function poll(ask: TrialPlatform['ask']): Requests['untilEnded'] {
  return (path, query = {}) =>
    until(`the operation of ${path} has ended`, async () => {
      const answer = await ask('get', `${path}/last_operation`, { query });
      return (answer.body as { state?: string }).state !== 'in progress' && answer;
    });
}

export function instancePath(id: string): string {
  return `/v2/service_instances/${encodeURIComponent(id)}`;
}

export function bindingPath({ path }: Pick<Instance, 'path'>, id: string): string {
  return `${path}/service_bindings/${encodeURIComponent(id)}`;
}

/** One that is not there, to ask about. */
export function unknownInstance(id: string, plan: string): Instance {
  return { id, path: instancePath(id), ids: idsOf(plan) };
}

/** What a 202 says, to poll with. */
export function operationIn({ status, body }: Pick<Response, 'status' | 'body'>): Record<string, string> {
  expect({ status, body: body as unknown }).toMatchObject({
    status: 202,
    body: { operation: expect.stringMatching(/./) as string },
  });
  return { operation: (body as { operation: string }).operation };
}

function withDefaults(standard: object, body: Sent['body']): object | string {
  return typeof body === 'string' ? body : { ...standard, ...body };
}

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('It has not been started.');
  return value;
}
