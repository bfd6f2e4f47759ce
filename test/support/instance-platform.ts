import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Response } from 'supertest';
import { parse } from 'yaml';
import { openTestDatabase, type TestDatabase } from './database.ts';
import { requireLawful } from './lawful-answer.ts';
import { requireSpecified } from './openapi.ts';
import { tracesOf } from './traces.ts';
import { startWholeBroker, type Asked, type WholeBroker } from './whole-broker.ts';
import { until } from './until.ts';
import { scratchDirectory } from './scratch-directory.ts';

export type Method = 'get' | 'put' | 'patch' | 'delete';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Told;
}

/** The members that the specification names; others may stand beside them. */
export interface Told extends Readonly<Record<string, unknown>> {
  readonly operation?: string;
  readonly state?: string;
  readonly description?: string;
  readonly error?: string;
  readonly dashboard_url?: string;
  readonly credentials?: Readonly<Record<string, string>>;
}

/** Members of `body` and `query` replace those that a platform sends; undefined leaves one out. */
export interface Sent extends Pick<Asked, 'headers'> {
  readonly body?: object;
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Without `accepts_incomplete=true`, which is sent otherwise. */
  readonly sync?: boolean;
}

export interface Ids {
  readonly service_id: string;
  readonly plan_id: string;
}

/**
 * A platform with brokers on one database, which are asked in turn. They sell, beside the trial, the things of
 * test/support/catalog. A plan is named with its offering: `moments/brief`.
 */
export interface InstancePlatform {
  readonly brokers: () => readonly WholeBroker[];
  /** One more on the same database, which is not asked in turn; it stops with the others. */
  readonly startAnother: (env?: Readonly<Record<string, string>>) => Promise<WholeBroker>;
  /** Sends a request and holds the answer against the specification. */
  readonly ask: (method: Method, path: string, asked?: Asked) => Promise<Answer>;
  readonly provision: (id: string, plan: string, sent?: Sent) => Promise<Answer>;
  readonly update: (id: string, plan: string, sent?: Sent) => Promise<Answer>;
  readonly deprovision: (id: string, plan: string, sent?: Sent) => Promise<Answer>;
  readonly fetch: (id: string, query?: Sent['query']) => Promise<Answer>;
  readonly bind: (id: string, bindingId: string, plan: string, sent?: Sent) => Promise<Answer>;
  readonly unbind: (id: string, bindingId: string, plan: string, sent?: Sent) => Promise<Answer>;
  readonly fetchBinding: (id: string, bindingId: string) => Promise<Answer>;
  /** @param id of an instance, or `<instance>/service_bindings/<binding>` */
  readonly lastOperation: (id: string, query?: Sent['query']) => Promise<Answer>;
  /** Polls until nothing is in progress any more; gives the last answer. */
  readonly ended: (id: string, query?: Sent['query']) => Promise<Answer>;
  /** Provisions, waits for the end, and gives the new instance's id. */
  readonly made: (plan: string, sent?: Sent) => Promise<string>;
  /** What there is of this instance: its rows, those of what was made for it among them. */
  readonly tracesOf: (id: string) => Promise<readonly string[]>;
  /** What was made for it. */
  readonly thingsOf: (id: string) => Promise<readonly string[]>;
  /** For requests that must be refused with a 4xx and must not change anything of this instance. */
  readonly refused: (id: string, request: () => Promise<Answer>) => Promise<Answer>;
}

const own = 'test/support/catalog';

/** A row of the trial; others say how often something was tried. */
const madeThing = /^trial_records .*"part":"(?:instance|binding)/;

/**
 * To be called at the top of a test file: starts before its tests and stops after them.
 * @param env options of all brokers
 */
export function instancePlatform(
  env: Readonly<Record<string, string>> = {},
  { brokers = 1 }: { readonly brokers?: number } = {},
): InstancePlatform {
  const dataDir = scratchDirectory('osb');
  const started: WholeBroker[] = [];
  const others: WholeBroker[] = [];
  let database: TestDatabase | undefined;

  const settings = {
    CATALOG_DIR: `catalog:catalog/trial:${own}`,
    PUBLIC_URL: 'https://broker.test',
    ASYNC_PATIENCE: '20ms',
    DATA_DIR: dataDir,
    ...env,
  };

  beforeAll(async () => {
    database = await openTestDatabase();
    while (started.length < brokers) started.push(await startWholeBroker(database, settings));
  });
  afterAll(async () => {
    await Promise.all([...started, ...others].map((broker) => broker.stop()));
    await database?.close();
  });

  let turn = 0;
  const ask: InstancePlatform['ask'] = async (method, path, asked) => {
    const broker = started[turn++ % started.length];
    if (!broker) throw new Error('No broker has been started.');
    return checked(method, path, asked, await broker.ask(method, path, asked));
  };
  const traces = async (id: string) => {
    if (!database) throw new Error('No database has been opened.');
    return (await tracesOf(database, dataDir)).filter((line) => line.includes(id));
  };
  return {
    brokers: () => started,
    async startAnother(more = {}) {
      if (!database) throw new Error('No database has been opened.');
      const another = await startWholeBroker(database, { ...settings, ...more });
      others.push(another);
      return another;
    },
    ask,
    ...requests(ask),
    tracesOf: traces,
    thingsOf: async (id) => (await traces(id)).filter((line) => madeThing.test(line)),
    async refused(id, request) {
      const before = await traces(id);
      const answer = await request();
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      expect(await traces(id)).toEqual(before);
      return answer;
    },
  };
}

function checked(method: Method, path: string, asked: Asked = {}, response: Response): Answer {
  const { status, text, headers } = response;
  const body = (status === 304 ? {} : JSON.parse(text)) as Told;
  requireLawful({ method, path, query: asked.query ?? {} }, response);
  if (status !== 304) requireSpecified({ method, path, status, body });
  return { status, headers: headers as Answer['headers'], body };
}

type Requests = Omit<
  InstancePlatform,
  'brokers' | 'startAnother' | 'ask' | 'tracesOf' | 'thingsOf' | 'refused'
>;

function requests(ask: InstancePlatform['ask']): Requests {
  const send = (method: Method, path: string, standard: object, { body, headers, ...sent }: Sent = {}) =>
    ask(method, path, {
      query: queryOf({}, sent),
      body: { ...standard, ...body },
      ...(headers ? { headers } : {}),
    });
  const remove = (path: string, plan: string, { body, headers, ...sent }: Sent = {}) =>
    ask('delete', path, {
      query: queryOf(idsOf(plan), sent),
      ...(body ? { body } : {}),
      ...(headers ? { headers } : {}),
    });
  const provision: InstancePlatform['provision'] = (id, plan, sent) =>
    send('put', pathOf(id), provisionBody(plan), sent);
  const lastOperation: InstancePlatform['lastOperation'] = (id, query = {}) =>
    ask('get', `${pathOf(id)}/last_operation`, { query: present(query) });

  return {
    provision,
    update: (id, plan, sent) => send('patch', pathOf(id), { service_id: idsOf(plan).service_id }, sent),
    deprovision: (id, plan, sent) => remove(pathOf(id), plan, sent),
    fetch: (id, query = {}) => ask('get', pathOf(id), { query: present(query) }),
    bind: (id, bindingId, plan, sent) => send('put', pathOf(id, bindingId), idsOf(plan), sent),
    unbind: (id, bindingId, plan, sent) => remove(pathOf(id, bindingId), plan, sent),
    fetchBinding: (id, bindingId) => ask('get', pathOf(id, bindingId)),
    lastOperation,
    ended: (id, query) => untilEnded(() => lastOperation(id, query)),
    async made(plan, sent) {
      const id = randomUUID();
      const { status, body } = await provision(id, plan, sent);
      if (status === 202) {
        const last = await untilEnded(() => lastOperation(id));
        expect(last.body).toMatchObject({ state: 'succeeded' });
      } else {
        expect({ status, body }).toMatchObject({ status: 201 });
      }
      return id;
    },
  };
}

/** An operation of the tests takes seconds; one that takes longer than this will never end. */
const giveUpAfter = 60_000;

async function untilEnded(look: () => Promise<Answer>): Promise<Answer> {
  const ended = async () => {
    const answer = await look();
    return answer.body.state !== 'in progress' && answer;
  };
  return until('the operation has ended', ended, giveUpAfter);
}

function queryOf(
  standard: object,
  { query, sync = false }: Pick<Sent, 'query' | 'sync'>,
): Record<string, string> {
  return present({ ...(sync ? {} : { accepts_incomplete: 'true' }), ...standard, ...query });
}

function present(query: Required<Sent>['query']): Record<string, string> {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(given);
}

/** The path of an instance or of one of its bindings; ids are sent as they are, so unusual ones are encoded before. */
export function pathOf(id: string, bindingId?: string): string {
  const instance = `/v2/service_instances/${id}`;
  return bindingId === undefined ? instance : `${instance}/service_bindings/${bindingId}`;
}

/** What every platform must send. */
export function provisionBody(plan: string): object {
  return { ...idsOf(plan), organization_guid: 'an-organization', space_guid: 'a-space' };
}

interface OfferingFile {
  readonly id: string;
  readonly name: string;
  readonly plans: readonly { readonly id: string; readonly name: string }[];
}

const offerings = ['catalog', 'catalog/trial', own].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => parse(readFileSync(join(folder, name), 'utf8')) as OfferingFile),
);

/** @param plan with its offering: `moments/brief` */
export function idsOf(plan: string): Ids {
  const [offeringName, planName] = plan.split('/');
  const offering = offerings.find(({ name }) => name === offeringName);
  const found = offering?.plans.find(({ name }) => name === planName);
  if (!offering || !found) throw new Error(`There is no plan ${plan}.`);
  return { service_id: offering.id, plan_id: found.id };
}
