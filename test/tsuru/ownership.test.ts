import {
  generationA,
  generationB,
  generationC,
  generationD,
  type Client,
  type Generation,
  type Known,
} from './clients.ts';
import { operatorPassword } from '../support/whole-broker.ts';
import { talksToEcho, tsuruCloud } from './tsuru-cloud.ts';

/** Whose an instance is: who may have a name, and who may remove what others are bound to; by two brokers in turn. */

const cloud = tsuruCloud({ CATALOG_DIR: 'catalog:catalog/trial' }, { brokers: 2 });
const { ask, made, settled } = cloud;

const generations: readonly (readonly [name: string, Generation])[] = [
  ['the tsuru of the tutorial (2013)', generationA],
  ['the tsuru of autumn 2014', generationB],
  ['the tsuru of 2015 to 2023', generationC],
  ['the tsuru of today', generationD],
];

let counter = 0;
const newName = () => `i${(counter += 1)}`;

async function contextOf(id: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { rows } = await cloud
    .database()
    .pool.query<{ context: Readonly<Record<string, unknown>> }>(
      'select context from service_instances where id = $1',
      [id],
    );
  return rows[0]?.context;
}

async function rowsIn(table: string, id: string): Promise<number> {
  const { rows } = await cloud
    .database()
    .pool.query<{ count: string }>(`select count(*) from ${table} where instance_id = $1`, [id]);
  return Number(rows[0]?.count);
}

describe.each(generations)('With %s', (_label, generation) => {
  const client = (service = 'echo') => generation(ask, service);

  test('A name that is taken is refused, and its instance stays as it is.', async () => {
    const name = newName();
    await client().create(name, { team: 'first', event: 'e1' });
    const before = await contextOf(`tsuru.echo.${name}`);
    await expect(client().create(name, { team: 'second', event: 'e2' })).rejects.toThrow(/^409: .*already/);
    await expect(client().create(name, { team: 'first', event: 'e3' })).rejects.toThrow(/^409/);
    expect(await contextOf(`tsuru.echo.${name}`)).toEqual(before);
    await client().destroy(name);
    await client().create(name, { team: 'second', event: 'e4' });
  });

  test('Of many who create the same name at once one gets it.', async () => {
    const name = newName();
    const asked = Array.from({ length: 8 }, (_none, index) =>
      client().create(name, { team: `team${index}`, event: `at-once-${index}` }),
    );
    const answers = await Promise.allSettled(asked);
    expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const answer of answers) {
      if (answer.status === 'rejected') expect(String(answer.reason)).toMatch(/409/);
    }
  });

  test('An app that tsuru has forgotten does not keep its instance from being removed.', async () => {
    const name = newName();
    await client().create(name);
    const app = { name: 'blog', host: 'blog.example.com', units: ['10.0.0.1', '10.0.0.2'] };
    const env = await client().bind(name, app);
    expect(await talksToEcho(env)).toBe(true);
    await client().destroy(name);
    expect(await talksToEcho(env)).toBe(false);
    expect(await rowsIn('service_bindings', `tsuru.echo.${name}`)).toBe(0);
    expect(await rowsIn('tsuru_apps', `tsuru.echo.${name}`)).toBe(0);
    expect(await rowsIn('tsuru_stakes', `tsuru.echo.${name}`)).toBe(0);
    const told = cloud.brokers().map((broker) => broker.output());
    expect(told.join('')).toMatch(new RegExp(`tsuru.echo.${name}.*blog`));
  });
});

describe.each(generations.slice(2))('With %s', (_label, generation) => {
  const client: Client = generation(ask, 'echo');
  const mine: Known = { team: 'first', event: 'once', tags: ['a'], description: 'mine' };

  test('A repeated create, by its event, is answered as the first.', async () => {
    const name = newName();
    await client.create(name, mine);
    await client.create(name, mine);
    await expect(client.create(name, { ...mine, team: 'second' })).rejects.toThrow(/^409/);
    await client.update?.(name, { ...mine, event: 'later', team: 'second', tags: [] });
    await client.create(name, mine);
    await expect(client.create(name, { ...mine, event: 'later', team: 'second' })).rejects.toThrow(/^409/);
    const again = Array.from({ length: 6 }, () => client.create(name, mine));
    expect((await Promise.allSettled(again)).map(({ status }) => status)).toEqual(
      again.map(() => 'fulfilled'),
    );
  });

  test('All brokers know a create by its event, also after a restart, and while it goes on.', async () => {
    const name = newName();
    const slow = generation(ask, 'trial-timing');
    await slow.create(name, { ...mine, plan: 'slow' });
    await slow.create(name, { ...mine, plan: 'slow' });
    await expect(slow.create(name, { ...mine, plan: 'slow', event: 'other' })).rejects.toThrow(/^409/);
    expect(await settled('trial-timing', name)).toMatchObject({ status: 204 });
    await slow.create(name, { ...mine, plan: 'slow' });
  });
});

test('Only what its headers say of the event can be known of a create in a form without one.', async () => {
  const form = { name: newName(), team: 'first' };
  const headers = { 'X-Tsuru-Eventid': 'in-a-header' };
  expect(await ask('POST', 'echo/resources', { form, headers })).toMatchObject({ status: 201 });
  expect(await ask('POST', 'echo/resources', { form, headers })).toMatchObject({ status: 201 });
  expect(await ask('POST', 'echo/resources', { form })).toMatchObject({ status: 409 });
  const other = { ...form, team: 'second' };
  expect(await ask('POST', 'echo/resources', { form: other, headers })).toMatchObject({ status: 409 });
});

test('An instance that an OSB platform has made under the id of a name is handed to nobody.', async () => {
  const name = newName();
  const body = { service_id: 'echo_service', plan_id: 'big_0001', organization_guid: 'o', space_guid: 's' };
  await cloud.brokers()[0]?.ask('put', `/v2/service_instances/tsuru.echo.${name}`, { body });
  const form = { name, team: 'first', eventid: 'e' };
  expect(await ask('POST', 'echo/resources', { form })).toMatchObject({ status: 409 });
});

test("What failed is nobody's: of all who take its name then, one gets it.", async () => {
  const name = newName();
  const failing = (event: string) => ({ name, team: 't', eventid: event, plan: 'provision-late' });
  expect(await ask('POST', 'trial-failing/resources', { form: failing('e0') })).toMatchObject({
    status: 201,
  });
  expect(await settled('trial-failing', name)).toMatchObject({ status: 500 });
  const asked = Array.from({ length: 6 }, (_none, index) =>
    ask('POST', 'trial-failing/resources', {
      form: { name, team: `t${index}`, eventid: `e${index + 1}`, plan: 'sound' },
    }),
  );
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 201)).toHaveLength(1);
  // Who comes while it is being removed is told to come again.
  expect(statuses.filter((status) => status !== 201 && status !== 409 && status !== 503)).toEqual([]);
  expect(await settled('trial-failing', name)).toMatchObject({ status: 204 });
});

test('A job that is bound keeps its instance, since tsuru does not ask for it; an app beside it does not.', async () => {
  const name = newName();
  await made('echo', name);
  const today = generationD(ask, 'echo');
  const job = (await today.bindJob?.(name, 'nightly')) ?? {};
  const app = await today.bind(name, { name: 'blog', host: 'b', units: [] });
  await expect(today.destroy(name)).rejects.toThrow(/^409: .*nightly/);
  await expect(today.destroy(name)).rejects.not.toThrow(/blog/);
  expect([await talksToEcho(job), await talksToEcho(app)]).toEqual([true, true]);
  await today.unbindJob?.(name, 'nightly');
  await today.destroy(name);
  expect([await talksToEcho(job), await talksToEcho(app)]).toEqual([false, false]);
});

test('A job that tsuru has forgotten keeps its instance until an operator removes its binding, whose user is shown.', async () => {
  const name = newName();
  await made('echo', name);
  const today = generationD(ask, 'echo');
  const job = (await today.bindJob?.(name, 'nightly')) ?? {};
  const [broker] = cloud.brokers();
  if (!broker) throw new Error('There is no broker.');
  const operate = (method: 'get' | 'delete', path: string) =>
    broker.ask(method, `/operator/instances/tsuru.echo.${name}${path}`, {
      login: `operator:${operatorPassword}`,
    });
  const { body } = await operate('get', '');
  const [bound] = (body as { bound: readonly { id: string }[] }).bound;
  expect(bound).toMatchObject({ state: 'bound', context: { job_name: 'nightly' } });
  await expect(today.destroy(name)).rejects.toThrow(/^409: .*nightly/);
  expect((await operate('delete', `/bindings/${bound?.id}`)).status).toBe(200);
  expect(await talksToEcho(job)).toBe(false);
  await today.destroy(name);
});
