import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../support/until.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { runProgram } from '../../support/run-program.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';
import { operatorPassword, startWholeBroker, type WholeBroker } from '../../support/whole-broker.ts';

/** Ways to bring an instance to what its plan is now, of a plan without `maintenance_info`; and what is none. */

const scratch = scratchDirectory('upgrade');
const catalog = join(scratch, 'catalog');
const plan = { service_id: 'thing', plan_id: 'thing-small' };
const login = `operator:${operatorPassword}`;
let database: TestDatabase;
let broker: WholeBroker;
let revision = 0;

beforeAll(async () => {
  chmodSync(scratch, 0o755);
  mkdirSync(catalog);
  offer(plan.plan_id);
  database = await openTestDatabase();
  broker = await startWholeBroker(database, { CATALOG_DIR: catalog });
});
afterAll(async () => {
  await broker.stop();
  await database.close();
});

/** The offering with one plan, of another revision each time; bindings show which. */
function offer(planId: string): void {
  revision += 1;
  writeFileSync(
    join(catalog, 'thing.json'),
    JSON.stringify({
      id: plan.service_id,
      name: 'thing',
      description: 'Something.',
      provisioner: 'faulty',
      plans: [{ id: planId, name: 'small', description: 'One.' }],
      parameters: { size: { type: 'integer', default: 1 } },
      credentials: { revision: `${revision}` },
    }),
  );
}

async function offerAnew(planId = plan.plan_id): Promise<void> {
  const loaded = () => broker.output().split('"message":"catalog loaded"').length;
  const before = loaded();
  offer(planId);
  await until('the catalog is loaded', () => loaded() > before);
}

/** Made before the plan is changed; gives their paths. */
async function older(...ids: readonly string[]): Promise<readonly string[]> {
  const paths = ids.map((id) => `/v2/service_instances/${id}`);
  const body = { ...plan, organization_guid: 'o', space_guid: 's', parameters: { size: 2 } };
  for (const path of paths) expect((await broker.ask('put', path, { body })).status).toBe(201);
  await offerAnew();
  for (const id of ids) expect(await seen(id)).toBe(true);
  return paths;
}

async function seen(id: string): Promise<boolean> {
  const { body } = await broker.ask('get', `/operator/instances/${id}`, { login });
  return (body as { drifted: boolean }).drifted;
}

async function revisionOf(path: string): Promise<number> {
  const { body } = await broker.ask('put', `${path}/service_bindings/b${revision}`, { body: plan });
  return Number((body as { credentials: { revision: string } }).credentials.revision);
}

const noUpgrades: Readonly<Record<string, object>> = {
  'a change of parameters': { ...plan, parameters: { size: 3 } },
  'a change of parameters that names no plan': { service_id: 'thing', parameters: { size: 3 } },
  'empty parameters beside a context': { ...plan, parameters: {}, context: { platform: 'cloudfoundry' } },
  'empty parameters': { ...plan, parameters: {} },
  'a rename': { ...plan, context: { instance_name: 'new' } },
  'an empty context': { ...plan, context: {} },
  'nothing at all': { service_id: 'thing' },
  'nothing but the values from before': { service_id: 'thing', previous_values: plan },
};
const upgrades: Readonly<Record<string, object>> = {
  'the plan alone': plan,
  'the plan beside the values from before': { ...plan, previous_values: { plan_id: plan.plan_id } },
  'the plan beside nulls': { ...plan, parameters: null, context: null, maintenance_info: null },
};

test('An instance stays what it was made from when an update names anything but the plan alone, also when it is repeated', async () => {
  const bodies = Object.entries(noUpgrades);
  const paths = await older(...bodies.map((_, index) => `stays-${index}`));
  for (const [index, [what, body]] of bodies.entries()) {
    const path = paths[index] ?? '';
    for (const _twice of [1, 2]) expect((await broker.ask('patch', path, { body })).status).toBe(200);
    const now = [await seen(`stays-${index}`), await revisionOf(path)];
    expect({ what, now }).toEqual({ what, now: [true, revision - 1] });
  }
});

test('An instance becomes what its plan is now when an update names the plan alone, once', async () => {
  const bodies = Object.entries(upgrades);
  const paths = await older(...bodies.map((_, index) => `moves-${index}`));
  for (const [index, [what, body]] of bodies.entries()) {
    const path = paths[index] ?? '';
    for (const _twice of [1, 2]) expect((await broker.ask('patch', path, { body })).status).toBe(200);
    const now = [await seen(`moves-${index}`), await revisionOf(path), await operationsOf(`moves-${index}`)];
    expect({ what, now }).toEqual({ what, now: [false, revision, ['bind', 'update', 'provision']] });
  }
});

async function operationsOf(id: string): Promise<readonly string[]> {
  const { body } = await broker.ask('get', `/operator/instances/${id}`, { login });
  return (body as { operations: readonly { kind: string }[] }).operations.map(({ kind }) => kind);
}

test('An operator upgrades an instance, and its parameters stay; once more changes nothing', async () => {
  const [path = ''] = await older('operated');
  const upgrade = () => broker.ask('post', '/operator/instances/operated/actions/upgrade', { login });
  expect([200, 202]).toContain((await upgrade()).status);
  await until('it is upgraded', async () => !(await seen('operated')));
  expect((await upgrade()).status).toBe(200);
  expect(await operationsOf('operated')).toEqual(['update', 'provision']);
  const { body } = await broker.ask('get', '/operator/instances/operated', { login });
  expect(body).toMatchObject({
    operations: [{ asked_by: { protocol: 'operator', principal: 'operator' } }, {}],
  });
  expect(await revisionOf(path)).toBe(revision);
  const { rows } = await database.pool.query("select ready from service_instances where id = 'operated'");
  expect(rows).toEqual([{ ready: true }]);
});

test('The command upgrades an instance, and waits for its end', async () => {
  await older('commanded');
  const env = { PORT: new URL(broker.url).port, OPERATOR_PASSWORD: operatorPassword };
  const run = (id: string) => runProgram(['instances', 'upgrade', id], env).ended;
  // It may have ended before the answer.
  const output = expect.stringMatching(/^(?:update|upgrade) succeeded\n$/) as string;
  expect(await run('commanded')).toEqual({ code: 0, output, errors: '' });
  expect(await seen('commanded')).toBe(false);
  expect(await run('commanded')).toEqual({ code: 0, output: 'upgrade succeeded\n', errors: '' });
  expect(await run('nobody')).toEqual({
    code: 1,
    output: '',
    errors: 'purveyor: There is no service instance with this id.\n',
  });
});

test('What is not in the catalog, or not there, is not upgraded', async () => {
  await older('withdrawn');
  const upgrade = (id: string, body?: object) =>
    broker.ask('post', `/operator/instances/${id}/actions/upgrade`, { login, ...(body && { body }) });
  expect((await upgrade('nobody')).status).toBe(404);
  expect(await upgrade('withdrawn', { units: ['main'] })).toMatchObject({
    status: 400,
    body: { field: 'units' },
  });
  await offerAnew('thing-other');
  expect(await upgrade('withdrawn')).toMatchObject({
    status: 409,
    body: {
      error: 'conflict',
      description:
        'The plan of the service instance is not in the catalog now, so there is nothing to upgrade it to.',
    },
  });
  await offerAnew();
});
