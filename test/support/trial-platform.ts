import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Response } from 'supertest';
import { parse } from 'yaml';
import { requireLawful } from './lawful-answer.ts';
import { openTestDatabase, type TestDatabase } from './database.ts';
import { tracesOf } from './traces.ts';
import { startWholeBroker, type Asked, type WholeBroker } from './whole-broker.ts';

export type Method = 'get' | 'put' | 'patch' | 'post' | 'delete';
type Body = Readonly<Record<string, unknown>>;

/** As in requests; members of `body` replace those that a platform sends, undefined leaves one out. */
export interface Sent extends Omit<Asked, 'body'> {
  readonly id?: string;
  readonly body?: Body | string;
}

export interface PlanIds {
  readonly service_id: string;
  readonly plan_id: string;
}

export interface Instance {
  readonly id: string;
  readonly path: string;
  readonly ids: PlanIds;
}

export interface Binding {
  readonly id: string;
  readonly path: string;
  readonly instance: Instance;
  /** What the platform was told when it was made. */
  readonly told: Readonly<Record<string, unknown>> & { readonly credentials?: Record<string, string> };
}

/** A platform that does what real ones do, with a broker of its own that sells the trial beside the rest. */
export interface TrialPlatform {
  broker(): WholeBroker;
  database(): TestDatabase;
  /** Where this broker keeps what is not in the database. */
  readonly dataDir: string;
  /** Sends a request and checks what holds for every answer. */
  ask(method: Method, path: string, asked?: Asked): Promise<Response>;
  /** Asks to provision; by default with a fresh id and without accepts_incomplete. */
  provision(plan: string, sent?: Sent): Promise<Response>;
  /** One that is there: it was made at once, or fails the test. */
  instance(plan: string, sent?: Sent): Promise<Instance>;
  bind(instance: Instance, sent?: Sent): Promise<Response>;
  binding(instance: Instance, sent?: Sent): Promise<Binding>;
  unbind(binding: Pick<Binding, 'path' | 'instance'>, sent?: Sent): Promise<Response>;
  deprovision(instance: Instance, sent?: Sent): Promise<Response>;
  /** Polls `<path>/last_operation` until nothing is in progress any more; gives the last answer. */
  untilEnded(path: string, query?: Asked['query']): Promise<Response>;
  /** Everything there is, as lines: rows of all tables, and what `faulty` has made. */
  traces(): Promise<readonly string[]>;
  /** For requests that must be refused with a 4xx and must not change anything. */
  refused(request: () => Promise<Response>): Promise<Response>;
}

export const incomplete = { accepts_incomplete: 'true' } as const;

/** To be called at the top of a test file: it starts before its tests and stops after them. */
export function trialPlatform(env: Readonly<Record<string, string>> = {}): TrialPlatform {
  const dataDir = mkdtempSync(join(tmpdir(), 'purveyor-osb-'));
  let database: TestDatabase | undefined;
  let started: WholeBroker | undefined;

  beforeAll(async () => {
    database = await openTestDatabase();
    started = await startWholeBroker(database, { DATA_DIR: dataDir, ...env });
  });
  afterAll(async () => {
    await started?.stop();
    await database?.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  const broker = () => required(started);
  const traces = () => tracesOf(required(database), dataDir);
  const ask: TrialPlatform['ask'] = async (method, path, asked = {}) => {
    const answer = await broker().ask(method, path, asked);
    requireLawful({ method, path, query: asked.query ?? {} }, answer);
    return answer;
  };
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

type Requests = Pick<
  TrialPlatform,
  'provision' | 'instance' | 'bind' | 'binding' | 'unbind' | 'deprovision' | 'untilEnded'
>;

function requests(ask: TrialPlatform['ask']): Requests {
  const provision: Requests['provision'] = (plan, { id = randomUUID(), body, ...asked } = {}) =>
    ask('put', instancePath(id), { ...asked, body: withDefaults(provisionBody(plan), body) });
  const bind: Requests['bind'] = (instance, { id = randomUUID(), body, ...asked } = {}) =>
    ask('put', bindingPath(instance, id), { ...asked, body: withDefaults(instance.ids, body) });
  const remove = (path: string, { ids }: Instance, { query, body, ...asked }: Sent = {}) =>
    ask('delete', path, { ...asked, query: { ...ids, ...query }, ...(body === undefined ? {} : { body }) });
  return {
    provision,
    bind,
    unbind: ({ path, instance }, sent) => remove(path, instance, sent),
    deprovision: (instance, sent) => remove(instance.path, instance, sent),
    async instance(plan, { id = randomUUID(), ...sent } = {}) {
      const { status, text } = await provision(plan, { ...sent, id });
      expect({ status, text }).toMatchObject({ status: 201 });
      return { id, path: instancePath(id), ids: idsOf(plan) };
    },
    async binding(instance, { id = randomUUID(), ...sent } = {}) {
      const { status, text, body } = await bind(instance, { ...sent, id });
      expect({ status, text }).toMatchObject({ status: 201 });
      return { id, path: bindingPath(instance, id), instance, told: body as Binding['told'] };
    },
    async untilEnded(path, query = {}) {
      const giveUp = Date.now() + 20_000;
      for (;;) {
        const answer = await ask('get', `${path}/last_operation`, { query });
        if ((answer.body as { state?: string }).state !== 'in progress') return answer;
        if (Date.now() > giveUp) throw new Error(`Still in progress: ${path}`);
        await wait(25);
      }
    },
  };
}

export function instancePath(id: string): string {
  return `/v2/service_instances/${encodeURIComponent(id)}`;
}

export function bindingPath({ path }: Pick<Instance, 'path'>, id: string): string {
  return `${path}/service_bindings/${encodeURIComponent(id)}`;
}

/** @param plan its offering and its own name, as `trial-timing/quick` */
export function idsOf(plan: string): PlanIds {
  const [offering, name] = plan.split('/');
  const file = files.find((one) => one.name === offering);
  const found = file?.plans.find((one) => one.name === name);
  if (!file || !found) throw new Error(`There is no plan ${plan}.`);
  return { service_id: file.id, plan_id: found.id };
}

/** What all platforms must send. */
export function provisionBody(plan: string): Body {
  return { ...idsOf(plan), organization_guid: 'an-organization', space_guid: 'a-space' };
}

function withDefaults(standard: object, body: Sent['body']): object | string {
  return typeof body === 'string' ? body : { ...standard, ...body };
}

interface OfferingFile {
  readonly id: string;
  readonly name: string;
  readonly plans: readonly { readonly id: string; readonly name: string }[];
}

const names = ['echo', 'invert', 'failing', 'features', 'route', 'schemas', 'schemas-newer', 'syslog-drain'];
const files = [...names, 'timing', 'volume'].map((name) => {
  const folder = name === 'echo' || name === 'invert' ? 'catalog' : 'catalog/trial';
  return parse(readFileSync(join(folder, `${name}.yaml`), 'utf8')) as OfferingFile;
});

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error('It has not been started.');
  return value;
}
