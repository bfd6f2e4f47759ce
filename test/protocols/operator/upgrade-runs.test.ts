import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { UpgradeDetailsAnswer } from '../../../src/protocols/operator/wire/upgrades.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { requireDescribed } from '../../support/described-answers.ts';
import { runProgram } from '../../support/run-program.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { until } from '../../support/until.ts';
import { operatorPassword, startWholeBroker, type WholeBroker } from '../../support/whole-broker.ts';

/** Upgrades of many instances as one run, which any of the brokers carries on. */

const scratch = scratchDirectory('upgrade-runs');
const catalog = join(scratch, 'catalog');
const login = `operator:${operatorPassword}`;
/** What goes wrong with updates of each plan. */
const plans = { quick: { takes: '1ms' }, slow: { takes: '200ms' }, broken: { fails: 'It is broken.' } };
type Plan = keyof typeof plans;

let database: TestDatabase;
let brokers: readonly WholeBroker[] = [];
let revision = 0;

beforeAll(async () => {
  chmodSync(scratch, 0o755);
  mkdirSync(catalog);
  offer();
  database = await openTestDatabase();
  const env = { CATALOG_DIR: catalog, LEASE: '4s' };
  brokers = [await startWholeBroker(database, env), await startWholeBroker(database, env)];
});
afterAll(async () => {
  for (const broker of brokers) await broker.stop();
  await database.close();
});

function offer(): void {
  revision += 1;
  writeFileSync(
    join(catalog, 'thing.json'),
    JSON.stringify({
      id: 'thing',
      name: 'thing',
      description: 'Something.',
      provisioner: 'faulty',
      plans: Object.entries(plans).map(([name, update]) => ({
        id: `thing-${name}`,
        name,
        description: 'One.',
        with: { update },
      })),
      credentials: { revision: `${revision}` },
    }),
  );
}

function operate(method: 'get' | 'post', path: string, body?: object) {
  const [first] = brokers;
  if (!first) throw new Error('There is no broker.');
  return first.ask(method, `/operator/${path}`, {
    login,
    ...(method === 'post' ? { body: body ?? {} } : {}),
  });
}

/** Made before their plan is changed. */
async function older(plan: Plan, ...ids: readonly string[]): Promise<void> {
  const body = { service_id: 'thing', plan_id: `thing-${plan}`, organization_guid: 'o', space_guid: 's' };
  for (const id of ids) {
    const answer = await brokers[0]?.ask('put', `/v2/service_instances/${id}`, { body });
    expect([answer?.status, answer?.body]).toEqual([201, expect.anything()]);
  }
  const loaded = () => brokers.map((broker) => broker.output().split('"message":"catalog loaded"').length);
  const before = loaded();
  offer();
  await until('the catalog is loaded', () => loaded().every((count, index) => count > (before[index] ?? 0)));
}

async function show(id: string, query = ''): Promise<UpgradeDetailsAnswer> {
  const { status, body } = await operate('get', `upgrades/${id}${query}`);
  requireDescribed({ method: 'get', path: '/operator/upgrades/:run', status, body: body as object });
  expect([status, body]).toEqual([200, expect.anything()]);
  return body as UpgradeDetailsAnswer;
}

async function start(body: object): Promise<string> {
  const answer = await operate('post', 'upgrades', { offering: 'thing', watch: 0, ...body });
  requireDescribed({
    method: 'post',
    path: '/operator/upgrades',
    status: answer.status,
    body: answer.body as object,
  });
  expect([answer.status, answer.body]).toEqual([202, expect.anything()]);
  return (answer.body as { id: string }).id;
}

function reached(id: string, state: string): Promise<UpgradeDetailsAnswer> {
  return until(`the run is ${state}`, async () => {
    const run = await show(id);
    return run.state === state && run;
  });
}

async function change(id: string, verb: 'pause' | 'resume' | 'cancel') {
  const { status, body } = await operate('post', `upgrades/${id}/${verb}`);
  return { status, body: body as { state?: string; description?: string } };
}

/** Of the updates of these instances: how many were at work at one time, at most. */
async function mostAtOnce(prefix: string): Promise<unknown> {
  const { rows } = await database.pool.query(
    `select max((select count(*) from operations b where b.kind = 'update' and b.instance_id like $1
       and b.created_at <= a.created_at and b.finished_at > a.created_at))::integer as most
     from operations a where a.kind = 'update' and a.instance_id like $1`,
    [`${prefix}%`],
  );
  return (rows as readonly { most: unknown }[])[0]?.most;
}

test('A run upgrades canaries first and then all others, so many at once, and the command waits for its end', async () => {
  const ids = [1, 2, 3, 4, 5, 6].map((number) => `many-${number}`);
  await older('slow', ...ids);
  const env = { PORT: new URL(brokers[1]?.url ?? '').port, OPERATOR_PASSWORD: operatorPassword };
  const words = 'upgrades start --offering thing --plan slow --canaries 2 --watch 0s --at-once 3 --follow';
  const { code, output, errors } = await runProgram(words.split(' '), env).ended;
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(output).toMatch(
    /^The run is [\w-]+: 0 of 6 upgraded, 6 waiting\.\n[^]*succeeded: 6 of 6 upgraded\n$/,
  );
  const most = await mostAtOnce('many-');
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(3);
  const { rows } = await database.pool.query(
    `select max(finished_at) filter (where instance_id <= 'many-2') <= min(created_at) filter (where instance_id > 'many-2') as first
     from operations where kind = 'update' and instance_id like 'many-%'`,
  );
  expect(rows).toEqual([{ first: true }]);
  const id = /The run is ([\w-]+)/.exec(output)?.[1] ?? '';
  const run = await show(id, '?limit=2');
  expect(run).toMatchObject({ state: 'succeeded', principal: 'operator', canaries_passed: true, next: '2' });
  expect(run.items.map((item) => [item.instance_id, item.canary, item.state])).toEqual([
    ['many-1', true, 'succeeded'],
    ['many-2', true, 'succeeded'],
  ]);
  expect((await show(id, '?after=5')).items.map((item) => item.instance_id)).toEqual(['many-6']);
  const trail = await database.pool.query(
    'select verb, principal, outcome from audit_trail where object_id = $1',
    [id],
  );
  expect(trail.rows).toEqual([{ verb: 'start-upgrades', principal: 'operator', outcome: 'succeeded' }]);
  const shown = await runProgram(['upgrades', 'show', id], env).ended;
  expect(shown.output).toMatch(/^state +succeeded\nof +offering thing, plan slow\n[^]*many-6 +succeeded +no/);
  expect((await runProgram(['upgrades'], env).ended).output).toMatch(
    /operator +succeeded +6 of 6 upgraded\n/,
  );
});

test('A run pauses after so many failures, goes on when it is resumed, and the command ends with 1', async () => {
  await older('broken', 'bad-1', 'bad-2', 'bad-3');
  const id = await start({ plan: 'broken', stop_after: 2 });
  const paused = await reached(id, 'paused');
  expect(paused).toMatchObject({
    reason: '2 upgrades have failed: see why, and resume or cancel.',
    instances: { failed: 2, waiting: 1 },
  });
  expect(paused.items[0]).toMatchObject({
    state: 'failed',
    reason: 'It is broken. The plan says so.',
    canary: false,
  });
  const env = { PORT: new URL(brokers[0]?.url ?? '').port, OPERATOR_PASSWORD: operatorPassword };
  const { code, output, errors } = await runProgram(['upgrades', 'resume', id, '--follow'], env).ended;
  expect({ code, errors }).toEqual({ code: 1, errors: '' });
  expect(output).toMatch(
    /failed: 0 of 3 upgraded, 3 failed\nINSTANCE[^]*bad-3 +failed +no +\S+ +It is broken\. The plan says so\.\n$/,
  );
  expect(await change(id, 'cancel')).toMatchObject({ status: 409 });
  expect((await operate('get', 'upgrades?limit=1')).body).toMatchObject({
    upgrades: [{ id, state: 'failed' }],
  });
});

test('A run waits after its canaries where it is told to, is in the way of another, and leaves out the rest when it is cancelled', async () => {
  await older('quick', 'held-1', 'held-2', 'held-3');
  const id = await start({ plan: 'quick', canaries: 1, approve: true });
  expect((await reached(id, 'paused')).instances).toMatchObject({ succeeded: 1, waiting: 2 });
  const again = await operate('post', 'upgrades', { plan: 'quick' });
  expect([again.status, again.body]).toMatchObject([
    409,
    { description: expect.stringContaining(id) as string },
  ]);
  expect(await change(id, 'cancel')).toMatchObject({ status: 200 });
  expect(await change(id, 'cancel')).toMatchObject({ status: 200 });
  expect((await reached(id, 'cancelled')).instances).toMatchObject({ succeeded: 1, skipped: 2 });
  expect(await change(id, 'resume')).toMatchObject({
    status: 409,
    body: { description: 'The run of upgrades is cancelled: only one that is paused can be resumed.' },
  });
  const next = await start({ plan: 'quick', canaries: 1, approve: true });
  await reached(next, 'paused');
  expect(await change(next, 'resume')).toMatchObject({ status: 200, body: { state: 'running' } });
  expect((await reached(next, 'succeeded')).instances).toMatchObject({ succeeded: 2 });
});

test('A run goes on where its broker died, also where it is not known whether an upgrade was asked for', async () => {
  await older('quick', 'left-1', 'left-2', 'left-3');
  // What is written before the first of them is asked for.
  await database.pool.query(
    `with run as (
       insert into upgrade_runs (id, state, filter, canaries, at_once, stop_after, watch_ms, approval, origin, holder, due_at)
       values ('left', 'running', '{}', 0, 1, 1, 0, false, '{"protocol":"operator"}', 'a dead one', now() + interval '4 s')
       returning id)
     insert into upgrade_items (run_id, position, instance_id, state)
     select id, i, 'left-' || i, case i when 1 then 'started' else 'waiting' end from run, generate_series(1, 3) i`,
  );
  const run = await reached('left', 'succeeded');
  expect(run.instances).toMatchObject({ succeeded: 3 });
  const { rows } = await database.pool.query(
    `select count(*)::integer as count from operations where kind = 'update' and instance_id like 'left-%'`,
  );
  expect(rows).toEqual([{ count: 3 }]);
});

test('What is gone when its turn comes is left out', async () => {
  await older('quick', 'gone-1', 'gone-2');
  const id = await start({ plan: 'quick', canaries: 1, approve: true });
  await reached(id, 'paused');
  const query = { service_id: 'thing', plan_id: 'thing-quick' };
  expect((await brokers[0]?.ask('delete', '/v2/service_instances/gone-2', { query }))?.status).toBe(200);
  await change(id, 'resume');
  const run = await reached(id, 'succeeded');
  expect(run.items[1]).toMatchObject({
    state: 'skipped',
    reason: 'There is no service instance with this id.',
  });
});

test.each<[body: object, field: string | undefined]>([
  [{ offering: 'unknown' }, 'offering'],
  [{ offering: 'thing', plan: 'unknown' }, 'plan'],
  [{ at_once: 0 }, 'at_once'],
  [{ canaries: 'some' }, 'canaries'],
  [{ approve: 1 }, 'approve'],
  [{ drifted: true }, 'drifted'],
])('A run of upgrades that is asked for with %j is refused, and none begins', async (body, field) => {
  const before = await database.pool.query('select count(*) from upgrade_runs');
  const answer = await operate('post', 'upgrades', body);
  expect([answer.status, answer.body]).toMatchObject([400, { field }]);
  expect((await database.pool.query('select count(*) from upgrade_runs')).rows).toEqual(before.rows);
  expect((await operate('get', 'upgrades/nothing')).status).toBe(404);
});
