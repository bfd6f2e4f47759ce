// Random requests at two brokers on one database: one by one they are held against a model, many at once against
// what must never be.
import { join } from 'node:path';
import fc from 'fast-check';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { startWholeBroker, type WholeBroker } from '../support/whole-broker.ts';
import { answerTo } from './model.ts';
import { draft, flaky, place, plansOf, type Catalog, type Draft } from './draft.ts';
import { kinds, writeOffering } from './offering.ts';
import { send, wordsOf } from './platform.ts';
import { thingsIn } from './things.ts';
import { until } from '../support/until.ts';
import {
  newModel,
  passTime,
  thingsOf,
  type Asked,
  type Instance,
  type Plan,
  type ModelState,
} from './model-state.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

const seed = 20_261_120;
const patienceMs = 40;
const scratch = scratchDirectory('property');
const inFiveMinutes = { steps: 1, each: '5m' };
const catalogDir = writeOffering(scratch, [
  { id: 'slow', async: 'required', with: Object.fromEntries(kinds.map((kind) => [kind, inFiveMinutes])) },
  { id: 'distant', with: { provision: inFiveMinutes } },
]);
let database: TestDatabase;
let brokers: readonly [WholeBroker, WholeBroker];
let plans: readonly Plan[];

beforeAll(async () => {
  database = await openTestDatabase();
  const env = {
    CATALOG_DIR: `catalog:catalog/trial:${catalogDir}`,
    DATA_DIR: join(scratch, 'data'),
    ASYNC_PATIENCE: `${patienceMs}ms`,
  };
  brokers = await Promise.all([startWholeBroker(database, env), startWholeBroker(database, env)]);
  plans = plansOf((await brokers[0].ask('get', '/v2/catalog')).body as Catalog);
});
afterAll(async () => {
  await Promise.all(brokers.map((broker) => broker.stop()));
  await database.close();
});

let runs = 0;

/** Whether the time for random runs is over; one is made also by a machine with too much to do. */
function afterOne(ms: number): () => boolean {
  const end = performance.now() + ms;
  let made = 0;
  return () => made++ > 0 && performance.now() > end;
}

test('Requests one by one, whichever broker is asked, every answer is the one of the model [PRV-05, BND-03, STS-01]', async () => {
  const pause = fc.constant('time passes' as const);
  const step = fc.oneof({ weight: 12, arbitrary: draft }, { weight: 1, arbitrary: pause });
  // Without instances there is little to do.
  const first = fc.tuple(draft, draft).map(([one, other]): readonly Draft[] => [
    { ...one, what: 'provision', id: 'i' },
    { ...other, what: 'provision', id: 'j' },
  ]);
  const more = fc.array(step, { minLength: 10, maxLength: 40, size: 'max' });
  const isEnough = afterOne(9000);
  const property = fc.asyncProperty(first, more, async (begin, steps) => {
    if (isEnough()) return;
    const run = `one-${++runs}-`;
    const model = newModel();
    const told: string[] = [];
    for (const next of [...begin, ...steps, 'time passes' as const]) {
      told.push(next === 'time passes' ? await pass(model, run) : await take(model, run, next));
      if (told.at(-1)?.includes('instead of')) throw new Error(told.join('\n'));
    }
    expect((await thingsIn(database)).filter((thing) => thing.startsWith(run))).toEqual(thingsOf(model));
  });
  await fc.assert(property, { seed, numRuns: 60 });
});

test('What a request cannot wait for is undone, also when its next step is further away than a lease [ORP-01]', async () => {
  const env = {
    CATALOG_DIR: catalogDir,
    DATA_DIR: join(scratch, 'data'),
    LEASE: '1s',
    SYNC_PATIENCE: '200ms',
  };
  const impatient = await startWholeBroker(database, env);
  const plan: Plan = { ...planAt(0), plan_id: 'distant' };
  const asked: Asked = { what: 'provision', id: 'distant', binding: '', app: '', later: false };
  const told = async (what: Asked['what']) =>
    wordsOf({ ...asked, what }, await send(impatient, { ...asked, what }, plan));
  expect(await told('provision')).toBe('500 OperationFailed');
  await untilOver('distant');
  expect([await told('poll'), await told('fetch')]).toEqual(['200 failed', '404 NotFound']);
  expect((await thingsIn(database)).filter((thing) => thing.startsWith('distant'))).toEqual([]);
  await impatient.stop();
});

/** Takes one request in model and broker, and tells what was asked and answered. */
async function take(model: ModelState, run: string, one: Draft): Promise<string> {
  const there = model.instances.get(run + one.id);
  const asked = requestOf(one, run, there);
  const plan = asked.plan ?? there?.plan ?? planAt(one.plan);
  const expected = answerTo(model, asked);
  if (expected === undefined) return 'one that would wait for ever';
  const started = performance.now();
  const words = wordsOf(asked, await send(brokers[one.broker], asked, plan));
  const said = `broker ${one.broker}: ${JSON.stringify(asked)}: ${words}`;
  // On a busy machine what is done at once, or fails at once, may take longer than patience.
  const slow = words === '202' && one.later && !plan.slow && performance.now() - started >= patienceMs;
  if (!slow && words === expected) return said;
  if (!slow) return `${said} instead of ${expected}`;
  await pass(model, run);
  return `${said}, and time passes`;
}

function requestOf(one: Draft, run: string, there: Instance | undefined): Asked {
  const { what, binding, app, later, same } = one;
  const asked = { what, id: run + one.id, binding, app, later };
  if (same && there && what === 'provision') return { ...asked, plan: there.plan, ...sizeOf(there) };
  const plan = same && there ? {} : { plan: planAt(one.plan) };
  return { ...asked, ...plan, ...sizeOf(one) };
}

function sizeOf({ size }: { readonly size?: number | undefined }): { readonly size?: number } {
  return size === undefined ? {} : { size };
}

function planAt(place: number): Plan {
  const plan = plans[place];
  if (!plan) throw new Error(`There is no plan ${place}.`);
  return plan;
}

async function pass(model: ModelState, run: string): Promise<string> {
  passTime(model);
  await untilOver(run);
  return 'time passes';
}

/** Makes everything due at once that waits for its next step, until nothing is open any more. */
async function untilOver(run: string, asked: Promise<unknown> = Promise.resolve()): Promise<void> {
  let answered = false;
  const all = asked.finally(() => (answered = true));
  await Promise.all([all, until('everything is over', async () => (await hurry(run)) === 0 && answered)]);
}

async function hurry(run: string): Promise<number> {
  await database.pool.query(
    `with hurried as (
      update operations set due_at = now()
      where state = 'in progress' and holder is null and due_at > now() and instance_id like $1 returning id
    ) select pg_notify('purveyor', 'due') from hurried`,
    [`${run}%`],
  );
  const open = await database.pool.query(
    `select from operations where state = 'in progress' and instance_id like $1`,
    [`${run}%`],
  );
  return open.rowCount ?? 0;
}

/** What each request may be answered, with its error word or state. */
const lawful: Readonly<Record<Asked['what'], RegExp>> = {
  provision:
    /^(200|201|202|400 BadRequest|409 Conflict|422 (AsyncRequired|ConcurrencyError)|500 OperationFailed)$/,
  update:
    /^(200|202|400 BadRequest|404 NotFound|422|422 (AsyncRequired|ConcurrencyError)|500 OperationFailed)$/,
  deprovision: /^(200|202|400 BadRequest|410|422 (AsyncRequired|ConcurrencyError)|500 OperationFailed)$/,
  bind: /^(20[012]|40[04] \w+|409 Conflict|422 (AsyncRequired|ConcurrencyError)|500 OperationFailed)$/,
  unbind: /^(200|202|400 BadRequest|410|422 (AsyncRequired|ConcurrencyError)|500 OperationFailed)$/,
  fetch: /^(200 .*|404 NotFound|422 ConcurrencyError)$/,
  'fetch binding': /^(200|404 NotFound)$/,
  poll: /^(200 (in progress|succeeded|failed)|404 NotFound|410)$/,
  'poll binding': /^(200 (in progress|succeeded|failed)|404 NotFound|410)$/,
};

/** The sentences of the plans that fail. */
const onPurpose = /^(There is no room for this|The trial (could|gives)|The (trial|password) is still)/;

test('Many requests at once get lawful answers only, and all that was made can be deleted [CON-07, CON-09, ORP-03]', async () => {
  const batch = fc.array(draft, { minLength: 4, maxLength: 12, size: 'max' });
  const batches = fc.array(batch, { minLength: 2, maxLength: 5 });
  const home = fc.oneof({ weight: 9, arbitrary: place }, { weight: 1, arbitrary: fc.constant(flaky) });
  const homes = fc.record({ i: home, j: home });
  const isEnough = afterOne(7000);
  const property = fc.asyncProperty(batches, homes, async (all, at) => {
    if (isEnough()) return;
    const run = `many-${++runs}-`;
    await untilOver(run, Promise.all((['i', 'j'] as const).map((id) => provisionAt(run, id, at[id]))));
    for (const drafts of all) {
      // Each instance has a plan that most requests name, or they would only be refused.
      const atHome = drafts.map((one) => ({ ...one, plan: one.same ? at[one.id] : one.plan }));
      await untilOver(run, Promise.all(atHome.map((one) => takeAmongOthers(run, one))));
    }
    const things = (await thingsIn(database)).filter((thing) => thing.startsWith(run));
    const rows = await rowsOf(run);
    expect(rows.map(({ thing }) => thing)).toEqual(expect.arrayContaining([...things]));
    const ready = rows.filter((row) => row.ready && row.makes);
    expect(things).toEqual(expect.arrayContaining(ready.map(({ thing }) => thing)));
    await removeAll(run);
  });
  // What happens at once does not happen again: there is nothing to shrink.
  await fc.assert(property, { seed, numRuns: 30, endOnFailure: true });
});

async function provisionAt(run: string, id: string, home: number): Promise<void> {
  const asked: Asked = { what: 'provision', id: run + id, binding: '', app: '', later: true };
  expect(wordsOf(asked, await send(brokers[0], asked, planAt(home)))).toMatch(lawful.provision);
}

async function takeAmongOthers(run: string, one: Draft): Promise<void> {
  const asked = requestOf({ ...one, same: false }, run, undefined);
  const answer = await send(brokers[one.broker], asked, planAt(one.plan));
  expect(wordsOf(asked, answer)).toMatch(lawful[one.what]);
  if (answer.status === 500) expect((answer.body as { description: string }).description).toMatch(onPurpose);
}

/** What the rows tell of, by the names that `thingsIn` gives. */
async function rowsOf(run: string): Promise<readonly { thing: string; ready: boolean; makes: boolean }[]> {
  const { rows } = await database.pool.query<{ thing: string; ready: boolean; makes: boolean }>(
    `select id as thing, ready, offering_id <> 'echo_service' as makes from service_instances where id like $1
      union all
      select i.id || '/' || b.id, b.ready, offering_id <> 'echo_service'
      from service_bindings b join service_instances i on i.id = b.instance_id where i.id like $1`,
    [`${run}%`],
  );
  return rows;
}

/** A platform deletes all it knows of, hears how that ended, and asks again until it is told that nothing is there. */
async function removeAll(run: string): Promise<void> {
  for (const id of [`${run}i`, `${run}j`]) {
    await until(`${id} is gone`, async () => {
      await untilOver(run);
      const { rows } = await database.pool.query<{ service_id: string; plan_id: string }>(
        'select offering_id as service_id, plan_id from service_instances where id = $1',
        [id],
      );
      const query = { ...(rows[0] ?? { service_id: 's', plan_id: 'p' }), accepts_incomplete: 'true' };
      const path = `/v2/service_instances/${id}`;
      const { status } = await brokers[0].ask('delete', path, { query });
      expect([200, 202, 410, 500]).toContain(status);
      // A failure that nobody has heard of is what the next deletion would be told.
      if (status === 202) await untilOver(run);
      if (status === 202) await brokers[0].ask('get', `${path}/last_operation`);
      return status === 410;
    });
  }
  const left = await database.pool.query(
    `select id from service_instances where id like $1 union all
      select id from service_bindings where instance_id like $1`,
    [`${run}%`],
  );
  expect(left.rows).toEqual([]);
  expect((await thingsIn(database)).filter((thing) => thing.startsWith(run))).toEqual([]);
}
