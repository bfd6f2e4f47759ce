import { postgresApps } from '../../src/protocols/tsuru/apps/postgres-apps.ts';
import { startWholeBroker } from '../support/whole-broker.ts';
import { until } from '../support/until.ts';
import { envIn, talksToEcho, tsuruCloud, tsuruPassword, type Answer } from './tsuru-cloud.ts';

/** Bindings that a broker which died has left, of which tsuru knows nothing, or does not ask any more. */

const cloud = tsuruCloud({ CATALOG_DIR: 'catalog:catalog/trial' });
const { ask, made } = cloud;

let counter = 0;

/** A new instance; gives what is asked of it. */
async function instance(offering = 'echo', plan?: string) {
  const name = `c${(counter += 1)}`;
  await made(offering, name, plan === undefined ? {} : { plan });
  const at = (rest: string) => `${offering}/resources/${name}${rest}`;
  const bindUnit = (app: string, host: string) =>
    ask('POST', at(''), { form: { 'app-host': app, 'unit-host': host } });
  const bindApp = (app: string) => ask('POST', at('/bind-app'), { form: { 'app-name': app } });
  const unbindApp = (app: string) => ask('DELETE', at('/bind-app'), { form: { 'app-name': app } });
  return { id: `tsuru.${offering}.${name}`, at, bindUnit, bindApp, unbindApp };
}

async function bindingsOf(id: string): Promise<readonly string[]> {
  const text = 'select id from service_bindings where instance_id = $1';
  return (await cloud.database().pool.query<{ id: string }>(text, [id])).rows.map((row) => row.id);
}

async function works(answer: Answer): Promise<boolean> {
  expect(answer.status).toBe(201);
  return talksToEcho(envIn(answer));
}

/** What was pending, or to be removed, has been so for an hour. */
async function letTimePass(id: string): Promise<void> {
  const { pool } = cloud.database();
  const before = `now() - interval '1 hour'`;
  await pool.query(
    `update tsuru_apps set leaving_since = ${before} where instance_id = $1 and leaving_since is not null`,
    [id],
  );
  await pool.query(
    `update tsuru_stakes set pending_until = ${before} where instance_id = $1 and pending_until is not null`,
    [id],
  );
}

/** Another broker looks at once, and tsuru asks it for nothing. */
async function untilAnotherBroker(isDone: () => Promise<boolean>): Promise<void> {
  const another = await startWholeBroker(cloud.database(), {
    TSURU_PASSWORD: tsuruPassword,
    CATALOG_DIR: 'catalog:catalog/trial',
  });
  try {
    await until('it has cleaned up', isDone);
  } finally {
    await another.stop();
  }
}

test('What a broker that died had begun to remove is removed by another one.', async () => {
  const { id, bindUnit, bindApp } = await instance();
  const [unbound, halfway, kept] = [await bindUnit('a', '1'), await bindUnit('b', '1'), await bindApp('c')];
  const { pool } = cloud.database();
  await pool.query(`update tsuru_apps set leaving_since = now() where instance_id = $1 and host = 'a'`, [id]);
  await pool.query(
    `update tsuru_stakes set pending_until = now() where instance_id = $1 and binding_id like 'app.b.%'`,
    [id],
  );
  await letTimePass(id);
  await untilAnotherBroker(async () => (await bindingsOf(id)).length <= 1);
  expect([await works(unbound), await works(halfway), await works(kept)]).toEqual([false, false, true]);
}, 240_000);

test('An unbind that has failed, and that tsuru does not ask for again, is done by the broker.', async () => {
  const { id, bindApp, unbindApp } = await instance('trial-failing', 'unbind');
  expect(await bindApp('a')).toMatchObject({ status: 201 });
  expect(await unbindApp('a')).toMatchObject({ status: 500 });
  const [left] = await bindingsOf(id);
  expect(await bindApp('a')).toMatchObject({ status: 201 });
  expect(await bindingsOf(id)).toHaveLength(2);
  await letTimePass(id);
  await untilAnotherBroker(async () => (await bindingsOf(id)).length === 1);
  expect(await bindingsOf(id)).not.toContain(left);
}, 240_000);

describe.each<[string, (of: Awaited<ReturnType<typeof instance>>) => Promise<unknown>]>([
  ['another broker', ({ id }) => untilAnotherBroker(async () => (await bindingsOf(id)).length === 0)],
  ['the next unbind', async ({ unbindApp }) => expect(await unbindApp('a')).toMatchObject({ status: 200 })],
  [
    'the removal of the instance',
    async ({ at }) => expect(await ask('DELETE', at(''))).toMatchObject({ status: 200 }),
  ],
])('%s', (_who, cleanUp) => {
  test('A binding that was made after its unbind, by a broker that died then, is removed.', async () => {
    const of = await instance();
    const apps = postgresApps(cloud.database().pool);
    const stake = await apps.arrive({ instanceId: of.id }, { kind: 'app', name: 'a' }, undefined, 60_000);
    expect(await of.unbindApp('a')).toMatchObject({ status: 200 });
    const [broker] = cloud.brokers();
    const { rows } = await cloud
      .database()
      .pool.query('select offering_id as service_id, plan_id from service_instances where id = $1', [of.id]);
    const path = `/v2/service_instances/${of.id}/service_bindings/${stake.bindingId}`;
    const bound = await broker?.ask('put', path, { body: rows[0] as object });
    expect(bound?.status).toBe(201);
    await letTimePass(of.id);
    await cleanUp(of);
    expect(await bindingsOf(of.id)).toEqual([]);
  }, 240_000);
});
