import { spawnSync } from 'node:child_process';
import { createConnection } from 'mysql2/promise';
import { generationC } from './clients.ts';
import { envIn, talksToEcho, tsuruCloud, type Answer, type Ask } from './tsuru-cloud.ts';
import { until } from '../support/until.ts';

/** Apps, units and jobs that are bound, by two brokers in turn. */

const cloud = tsuruCloud({ CATALOG_DIR: 'catalog:catalog/trial' }, { brokers: 2 });
const { ask, made } = cloud;
const hasMariadb = ['mariadbd', 'mariadb-install-db'].every(
  (name) => spawnSync(name, ['--help']).error === undefined,
);

type Form = Readonly<Record<string, string | readonly string[]>>;

let counter = 0;

/** A new instance; gives what is asked of it. */
async function instance(offering = 'echo', plan?: string) {
  const name = `i${(counter += 1)}`;
  await made(offering, name, plan === undefined ? {} : { plan });
  const at = (rest: string) => `${offering}/resources/${name}${rest}`;
  const bind = (app: string, unit: string) =>
    ask('POST', at(''), { form: { 'app-host': app, 'unit-host': unit } });
  const unbind = (host: string) => ask('DELETE', at(`/hostname/${host}`));
  const post = (rest: string, form: Form) => ask('POST', at(rest), { form });
  const remove = (rest: string, form: Form = {}) => ask('DELETE', at(rest), { form });
  return { id: `tsuru.${offering}.${name}`, name, at, bind, unbind, post, remove };
}

async function bindingsOf(id: string): Promise<number> {
  const { rows } = await cloud
    .database()
    .pool.query<{ count: string }>('select count(*) from service_bindings where instance_id = $1', [id]);
  return Number(rows[0]?.count);
}

/** By app, how many units it has; those in doubt do not count. */
async function unitsOf(id: string): Promise<Readonly<Record<string, number>>> {
  const { rows } = await cloud.database().pool.query<{ app: string; units: number }>(
    `select coalesce(a.name, a.host) as app, count(*)::integer as units
     from tsuru_apps a join tsuru_stakes s using (instance_id, binding_id)
     where instance_id = $1 and not doubtful and s.host is not null group by 1`,
    [id],
  );
  return Object.fromEntries(rows.map(({ app, units }) => [app, units]));
}

async function works(answer: Answer): Promise<boolean> {
  expect(answer.status).toBe(201);
  return talksToEcho(envIn(answer));
}

test('T4: the bind of 2013 gives an environment of texts that works.', async () => {
  const { bind } = await instance();
  const answer = await bind('app1', '10.0.0.1');
  expect(await works(answer)).toBe(true);
  expect(Object.keys(envIn(answer))).toEqual(['ECHO_TOKEN', 'ECHO_URI']);
  expect(answer.headers.get('cache-control')).toBe('no-store');
});

test('T5: twenty units that are bound at once get the same bytes and one binding.', async () => {
  const { id, bind } = await instance();
  const all = await Promise.all(
    Array.from({ length: 20 }, (_none, index) => bind('app1', `10.0.1.${index}`)),
  );
  expect(all.map(({ status }) => status)).toEqual(all.map(() => 201));
  expect(new Set(all.map(({ text }) => text)).size).toBe(1);
  expect(await bindingsOf(id)).toBe(1);
  expect(await unitsOf(id)).toEqual({ app1: 20 });
});

test('All first units wait for the one bind, also where that takes its time.', async () => {
  const { id, bind } = await instance('trial-timing', 'slow');
  const all = await Promise.all(Array.from({ length: 6 }, (_none, index) => bind('app1', `10.0.1.${index}`)));
  expect(new Set(all.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(all[0]?.status).toBe(201);
  expect(await bindingsOf(id)).toBe(1);
});

test('T6: the spellings of the tutorial, and of its forerunner, mean the same.', async () => {
  const { id, bind, post, unbind } = await instance();
  const { text } = await bind('app1', '10.0.0.1');
  const spelled = await post('', { 'app-hostname': 'app1', 'unit-hostname': '10.0.0.2' });
  expect(spelled).toMatchObject({ status: 201, text });
  expect(await unitsOf(id)).toEqual({ app1: 2 });
  expect(await post('', { hostname: '10.0.0.9' })).toMatchObject({ status: 201 });
  expect(await unbind('10.0.0.9')).toMatchObject({ status: 200 });
  expect(await unbind('10.0.0.9')).toMatchObject({ status: 404 });
  expect(await post('', { user: 'u' })).toMatchObject({ status: 400 });
});

test('T7: two units on one host are two; the binding goes with the second.', async () => {
  const { id, bind, unbind } = await instance();
  const first = await bind('app1', 'H');
  expect(await bind('app1', 'H')).toMatchObject({ status: 201, text: first.text });
  expect(await unbind('H')).toMatchObject({ status: 200 });
  expect(await unitsOf(id)).toEqual({ app1: 1 });
  expect(await works(first)).toBe(true);
  expect(await unbind('H')).toMatchObject({ status: 200 });
  expect(await works(first)).toBe(false);
  expect(await bindingsOf(id)).toBe(0);
  expect(await unbind('H')).toMatchObject({ status: 404 });
});

describe('T8: when units of two apps are on one host and one goes,', () => {
  test('When units of two apps are on one host and one goes, the app with more units gives up one.', async () => {
    const { id, bind, unbind } = await instance();
    const [large, small] = [await bind('large', 'H'), await bind('small', 'H')];
    await bind('large', 'other');
    expect(await unbind('H')).toMatchObject({ status: 200 });
    expect(await unitsOf(id)).toEqual({ large: 1, small: 1 });
    expect([await works(large), await works(small)]).toEqual([true, true]);
    expect(await unbind('H')).toMatchObject({ status: 200 });
    expect([await works(large), await works(small)]).toEqual([true, false]);
    expect(await unbind('other')).toMatchObject({ status: 200 });
    expect(await works(large)).toBe(false);
    expect(await bindingsOf(id)).toBe(0);
  });

  test('When units of two apps are on one host and one goes, neither loses its credentials while it may be the one that still has a unit.', async () => {
    const { bind, unbind } = await instance();
    const [one, two] = [await bind('one', 'H'), await bind('two', 'H')];
    await bind('one', 'other');
    expect(await unbind('H')).toMatchObject({ status: 200 });
    expect(await unbind('other')).toMatchObject({ status: 200 });
    // Whose unit is left? Both answers are possible.
    expect([await works(one), await works(two)]).toEqual([true, true]);
    expect(await unbind('H')).toMatchObject({ status: 200 });
    expect([await works(one), await works(two)]).toEqual([false, false]);
    expect(await unbind('H')).toMatchObject({ status: 404 });
  });

  test('When units of two apps are on one host and one goes, a removal of the instance does not wait for what is only in doubt.', async () => {
    const { id, bind, unbind, remove, post } = await instance();
    await bind('one', 'H');
    await bind('two', 'H');
    await unbind('H');
    expect(Object.values(await unitsOf(id))).toEqual([1]);
    expect(await remove('')).toMatchObject({ status: 200 });
    expect(await post('/bind-app', { 'app-name': 'a' })).toMatchObject({ status: 404 });
  });
});

test('A unit that comes when the last one goes keeps the binding, or gets a new one.', async () => {
  const { id, bind, unbind } = await instance();
  await bind('app1', '10.0.0.0');
  for (let round = 0; round < 15; round += 1) {
    const [gone, come] = await Promise.all([unbind(`10.0.0.${round}`), bind('app1', `10.0.0.${round + 1}`)]);
    expect(gone.status).toBe(200);
    expect(await works(come)).toBe(true);
    expect(await bindingsOf(id)).toBe(1);
  }
  expect(await unbind('10.0.0.15')).toMatchObject({ status: 200 });
  expect(await bindingsOf(id)).toBe(0);
});

test('Units that come and go at once are all counted.', async () => {
  const { id, bind, unbind } = await instance();
  const hosts = Array.from({ length: 30 }, (_none, index) => `10.0.0.${index % 10}`);
  await Promise.all(hosts.map(async (host, index) => bind(`app${index % 3}`, `${host}-${index % 3}`)));
  expect(await unitsOf(id)).toEqual({ app0: 10, app1: 10, app2: 10 });
  const gone = await Promise.all(hosts.map(async (host, index) => unbind(`${host}-${index % 3}`)));
  expect(gone.map(({ status }) => status)).toEqual(hosts.map(() => 200));
  expect(await bindingsOf(id)).toBe(0);
});

describe('T9: since 2014-11 the app owns the binding,', () => {
  test('Since the app owns the binding, its units come and go without it.', async () => {
    const { id, post, remove } = await instance();
    const app = { 'app-name': 'a', 'app-host': 'h' };
    const bound = await post('/bind-app', app);
    const unit = { ...app, 'unit-host': '10.0.0.1' };
    expect(await post('/bind', unit)).toMatchObject({ status: 201, text: bound.text });
    expect(await remove('/bind', unit)).toMatchObject({ status: 200 });
    expect(await remove('/bind', unit)).toMatchObject({ status: 200 });
    expect(await works(bound)).toBe(true);
    expect(await post('/bind-unit', unit)).toMatchObject({ status: 201, text: bound.text });
    expect(await remove('/bind-app', app)).toMatchObject({ status: 200 });
    expect(await works(bound)).toBe(false);
    expect(await remove('/bind-app', app)).toMatchObject({ status: 404 });
    expect(await unitsOf(id)).toEqual({});
    const anew = await post('/bind-app', app);
    expect(anew.text).not.toBe(bound.text);
    expect(await works(anew)).toBe(true);
  });

  test('Since the app owns the binding, an app that was known by its host is known by its name from then on.', async () => {
    const { id, post, remove } = await instance();
    const bound = await post('/bind-app', { 'app-host': 'h' });
    expect(await post('/bind-app', { 'app-name': 'a', 'app-host': 'h' })).toMatchObject({
      status: 201,
      text: bound.text,
    });
    expect(await bindingsOf(id)).toBe(1);
    expect(await remove('/bind-app', { 'app-name': 'b', 'app-host': 'h' })).toMatchObject({ status: 404 });
    expect(await remove('/bind-app', { 'app-name': 'a', 'app-host': 'moved' })).toMatchObject({
      status: 200,
    });
    expect(await bindingsOf(id)).toBe(0);
  });

  (hasMariadb ? test : test.skip)(
    'and its password opens no database afterwards (skipped without mariadbd).',
    async () => {
      const { post, remove } = await instance('mariadb');
      const app = { 'app-name': 'a', 'app-host': 'h' };
      const unit = { ...app, 'unit-host': '10.0.0.1' };
      const env = envIn(await post('/bind-app', app));
      expect(await post('/bind', unit)).toMatchObject({ status: 201 });
      const enters = async () => {
        try {
          const connection = await createConnection(env['MARIADB_URI'] ?? '');
          await connection.query('select 1');
          await connection.end();
          return true;
        } catch (error) {
          expect((error as { code?: string }).code).toBe('ER_ACCESS_DENIED_ERROR');
          return false;
        }
      };
      expect(await enters()).toBe(true);
      expect(await remove('/bind', unit)).toMatchObject({ status: 200 });
      expect(await remove('/bind-app', app)).toMatchObject({ status: 200 });
      expect(await enters()).toBe(false);
      expect(await remove('')).toMatchObject({ status: 200 });
    },
    90_000,
  );
});

test('T10: a bind without a unit is one of the app, as newer clients ask after a 404.', async () => {
  const { id, post, remove } = await instance();
  const app = { 'app-name': 'a', 'app-host': 'h', 'app-hosts': ['h', 'i'] };
  const bound = await post('/bind', app);
  expect(await works(bound)).toBe(true);
  expect(await post('/bind-app', app)).toMatchObject({ status: 201, text: bound.text });
  expect(await bindingsOf(id)).toBe(1);
  expect(await remove('/bind', app)).toMatchObject({ status: 200 });
  expect(await bindingsOf(id)).toBe(0);
});

test('T11: a job is bound beside an app of the same name.', async () => {
  const { at, post, remove } = await instance();
  const job = await ask('PUT', at('/binds/jobs/j1'), { form: { 'job-name': 'j1', user: 'u' } });
  expect(await works(job)).toBe(true);
  const app = await post('/bind-app', { 'app-name': 'j1' });
  expect(app.text).not.toBe(job.text);
  expect(await remove('/binds/jobs/j1')).toMatchObject({ status: 200 });
  expect([await works(job), await works(app)]).toEqual([false, true]);
  expect(await remove('/binds/jobs/j1')).toMatchObject({ status: 404 });
});

test('T19: JSON bodies with their own names mean the same.', async () => {
  const { at, bind, unbind } = await instance();
  const first = await bind('h', '10.0.0.1');
  const json = { appName: 'a', appHosts: ['h', 'i'], eventID: 'e', user: 'u', parameters: null };
  const again = await ask('POST', at('/bind-app'), { json });
  expect(again).toMatchObject({ status: 201, text: first.text });
  expect(await unbind('10.0.0.1')).toMatchObject({ status: 200 });
  expect(await works(first)).toBe(true);
  expect(await ask('DELETE', at('/bind-app'), { json })).toMatchObject({ status: 200 });
  expect(await works(first)).toBe(false);
  expect(await ask('POST', at('/bind-app'), { json: ['a'] })).toMatchObject({ status: 400 });
  expect(await ask('POST', at('/bind-app'), { json: { appName: 1 } })).toMatchObject({ status: 400 });
});

test('What the plan wants of a bind is passed on, and units need not repeat it.', async () => {
  const { post } = await instance('trial-schemas', 'draft-04');
  const app = { 'app-name': 'a', 'app-host': 'h' };
  expect(await post('/bind-app', { ...app, 'parameters.role': 'owner' })).toMatchObject({ status: 400 });
  const bound = await post('/bind-app', { ...app, 'parameters.role': 'reader' });
  expect(bound.status).toBe(201);
  const unit = await post('/bind', { ...app, 'unit-host': '10.0.0.1' });
  expect(unit).toMatchObject({ status: 201, text: bound.text });
  expect(await post('/bind-app', { ...app, 'parameters.role': 'writer' })).toMatchObject({ status: 409 });
  expect(await post('/bind-app', { ...app, 'parameters.role': 'reader' })).toMatchObject({
    status: 201,
    text: bound.text,
  });
});

test('A bind that fails leaves nothing behind, whoever comes first.', async () => {
  const { id, bind, post, remove } = await instance('trial-failing', 'bind');
  const all = await Promise.all([bind('a', '1'), bind('a', '2'), post('/bind-app', { 'app-name': 'b' })]);
  for (const answer of all)
    expect(answer).toMatchObject({ status: 500, text: 'The trial gives nobody a password.\n' });
  expect(await bindingsOf(id)).toBe(0);
  expect(await unitsOf(id)).toEqual({});
  expect(await remove('')).toMatchObject({ status: 200 });
});

test.each([0, 1])(
  'An unbind of an app that loses the answer about its unit %s is finished when it is asked for again.',
  async (lost) => {
    const { id, name } = await instance();
    const app = { name: 'a', host: 'h', units: ['10.0.0.1', '10.0.0.2'] };
    await generationC(ask, 'echo').bind(name, app);
    let answers = 0;
    const losing: Ask = async (method, path, sent) => {
      const answer = await ask(method, path, sent);
      if (answers++ === lost) throw new Error('The connection was lost.');
      return answer;
    };
    const client = generationC(losing, 'echo');
    await expect(client.unbind(name, app)).rejects.toThrow('The connection was lost.');
    expect(await bindingsOf(id)).toBe(1);
    await client.unbind(name, app);
    expect(await bindingsOf(id)).toBe(0);
  },
);

test('An unbind that is refused has taken no unit away.', async () => {
  const { id, bind, remove } = await instance();
  await bind('a', 'H');
  const refused = await remove('/bind-app', { 'app-host': 'a', eventid: 'x'.repeat(1001) });
  expect(refused).toMatchObject({ status: 400, text: 'eventid must not have more than 1000 characters.\n' });
  const { rows } = await cloud
    .database()
    .pool.query('select leaving_since from tsuru_apps where instance_id = $1', [id]);
  expect(rows).toEqual([{ leaving_since: null }]);
  expect(await unitsOf(id)).toEqual({ a: 1 });
});

test('An unbind that fails is finished by the next one.', async () => {
  const { id, bind, unbind } = await instance('trial-failing', 'unbind');
  await bind('a', 'H');
  expect(await unbind('H')).toMatchObject({ status: 500, text: 'The password is still in use.\n' });
  expect(await unbind('H')).toMatchObject({ status: 200 });
  expect(await unbind('H')).toMatchObject({ status: 404 });
  expect(await bindingsOf(id)).toBe(0);
});

test('While it is being changed an instance is not ready.', async () => {
  const { at, post } = await instance('trial-timing', 'slow');
  const changing = ask('PUT', at(''), { form: { 'parameters.size': '2' } });
  await until('the change is pending', async () => (await ask('GET', at('/status'))).status === 202);
  expect(await post('/bind-app', { 'app-name': 'a' })).toMatchObject({ status: 412 });
  expect((await changing).status).toBe(200);
  expect(await post('/bind-app', { 'app-name': 'a' })).toMatchObject({ status: 201 });
});
