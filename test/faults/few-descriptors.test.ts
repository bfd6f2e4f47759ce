// A whole broker and node that may open few files, and is asked for more than it can do with them.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { call } from '../support/started-brokers.ts';
import { until } from '../support/until.ts';
import { common, planOf, tiny } from './process/offerings.ts';
import { openOneNode, pathOf, processesOf, type Maker, type OneNode } from './process/one-node.ts';
import { thingsIn } from './things.ts';

const whereLimited = spawnSync('prlimit', ['--version']).status === 0 ? test : test.skip;

const things = {
  ...common('things', [planOf('things', 'small')], 'faulty'),
  credentials: { name: '{{thing.name}}' },
};
let node: OneNode;
let broker: Maker;

beforeAll(async () => {
  node = await openOneNode([tiny('tiny', { monitor: { every: '1s' } }), things]);
  broker = await node.start({ NODE_PORTS: '24700-24799' });
});
afterAll(() => node.close());

interface Heard {
  readonly asked: string;
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Undefined: the connection was closed before it was taken. */
async function ask(login: string, method: string, path: string, body?: object): Promise<Heard | undefined> {
  try {
    const answer = await call(login, `${broker.address}${path}`, { method, ...(body ? { body } : {}) });
    const { status, headers } = answer;
    const said = (await answer.json()) as Heard['body'];
    return { asked: `${method} ${path}`, status, retryAfter: headers.get('retry-after'), body: said };
  } catch (error) {
    expect((error as Error).message).toMatch(/fetch failed|terminated/);
    return undefined;
  }
}

const platform = 'broker:p';
const operator = 'operator:the-operator-of-the-test';
const numbers = [1, 2, 3];
const ids = numbers.flatMap((n) => [`tiny-${n}`, `things-${n}`]);

function idsOf(id: string) {
  const [offering = ''] = id.split('-');
  return { service_id: offering, plan_id: `${offering}-small` };
}

function provision(id: string): Promise<Heard | undefined> {
  const body = { ...idsOf(id), organization_guid: 'o', space_guid: 's' };
  return ask(platform, 'PUT', `${pathOf(id)}?accepts_incomplete=true`, body);
}

function deprovision(id: string): Promise<Heard | undefined> {
  const query = new URLSearchParams({ ...idsOf(id), accepts_incomplete: 'true' });
  return ask(platform, 'DELETE', `${pathOf(id)}?${query.toString()}`);
}

/** All that may be asked at any time of the instance that was there before. */
function looks(): readonly Promise<Heard | undefined>[] {
  const unit = '/operator/instances/before';
  return [
    ask(platform, 'GET', '/v2/catalog'),
    ask(platform, 'GET', pathOf('before')),
    ask(platform, 'GET', `${pathOf('before')}/last_operation`),
    ask(operator, 'POST', `${unit}/exec`, { command: ['true'] }),
    ask(operator, 'GET', `${unit}/log`),
    ask(operator, 'GET', unit),
  ];
}

/** Of the broker: open now, and how many it may have. */
function descriptors(): number {
  return readdirSync(`/proc/${broker.pid}/fd`).length;
}

function allow(most: number): void {
  const { status } = spawnSync('prlimit', [`--pid=${broker.pid}`, `--nofile=${most}:`]);
  expect(status).toBe(0);
}

/** Right, or a 503 that says when to come again. */
function requireRightOrLater(heard: readonly (Heard | undefined)[]): readonly Heard[] {
  const answers = heard.filter((one) => one !== undefined);
  const wrong = answers.filter(
    ({ status, retryAfter }) =>
      ![200, 201, 202, 410].includes(status) && !(status === 503 && retryAfter !== null),
  );
  expect(wrong).toEqual([]);
  return answers;
}

async function openOperations(): Promise<number> {
  const { rows } = await node.database.pool.query(`select id from operations where state = 'in progress'`);
  return rows.length;
}

/** With some room, with hardly any, with none: what is wanting is wanting at each place once. */
async function askInWant(change: typeof provision): Promise<readonly Heard[]> {
  const heard: (Heard | undefined)[] = [];
  for (const room of [8, 3, 1, 0, 5]) {
    allow(descriptors() + room);
    heard.push(...(await Promise.all([...ids.map(change), ...looks()])));
  }
  allow(plenty);
  return requireRightOrLater(heard);
}

const plenty = 4096;

/** A platform asks again until it is told that it is so. */
async function untilSo(change: typeof provision, so: number): Promise<void> {
  const isSo = async () => {
    const heard = await Promise.all(ids.map(change));
    return heard.every((one) => one?.status === so);
  };
  await until('all is as it was asked for', isSo, 60_000);
  expect(await openOperations()).toBe(0);
}

whereLimited(
  'A broker that runs out of descriptors fails nothing: it says 503, and goes on when there are some again',
  async () => {
    expect((await broker.provision('before', { offering: 'tiny', plan: 'small' })).status).toBe(201);
    const [atFirst] = (await broker.shows('before', 'started')).units;

    const whileMade = await askInWant(provision);
    await untilSo(provision, 200);
    const tinies = ids.filter((id) => id.startsWith('tiny'));
    for (const id of ['before', ...tinies]) expect(processesOf(id)).toHaveLength(1);
    expect(node.keys()).toHaveLength(tinies.length + 1);
    expect(await thingsIn(node.database)).toEqual(ids.filter((id) => id.startsWith('things')).toSorted());

    const whileRemoved = await askInWant(deprovision);
    await untilSo(deprovision, 410);
    expect([...whileMade, ...whileRemoved].filter(({ status }) => status === 503)).not.toEqual([]);
    for (const id of tinies) expect(processesOf(id)).toEqual([]);
    expect(node.keys()).toHaveLength(1);
    expect(await thingsIn(node.database)).toEqual([]);
    const { rows } = await node.database.pool.query(`select id from operations where state = 'failed'`);
    expect(rows).toEqual([]);

    // What was there before is as it was all the time: nobody took the want of the broker for its own.
    const { operations, units } = await broker.shows('before', 'started');
    expect(units).toEqual([atFirst]);
    expect(operations.map(({ kind }) => kind)).toEqual(['provision']);
  },
);
