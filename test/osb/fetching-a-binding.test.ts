import { randomUUID } from 'node:crypto';
import {
  bindingPath,
  incomplete,
  trialPlatform,
  unknownInstance,
  type Members,
} from '../support/trial-platform.ts';
import { startWholeBroker } from '../support/whole-broker.ts';
import { until } from '../support/until.ts';

/** spec.md, Fetching a Service Binding. */

const platform = trialPlatform({ ASYNC_PATIENCE: '100ms' }, { brokers: 2 });
// It carries only what requests ask for, so nothing ends by itself.
const idle = trialPlatform({ WORKERS: '0' });
const { ask, bind, binding, deprovision, instance, refused, unbind, untilEnded } = platform;

const notFound = { status: 404, body: { error: 'NotFound' } };

test.each([
  'echo/large',
  'invert/small',
  'trial-timing/quick',
  'trial-features/rotatable',
  'trial-features/expiring',
  'trial-features/endpoints',
  'trial-syslog-drain/drain',
  'trial-route/forward',
  'trial-volume/shared',
])('A binding of %s is fetched as it was told when it was made [FEB-01, BND-18, BND-30]', async (plan) => {
  const { told, path, instance: on } = await binding(await instance(plan));
  for (const query of [{}, { ...on.ids }]) {
    const { status, body } = await ask('get', path, { query });
    expect({ status, body: body as object }).toEqual({ status: 200, body: { ...told, parameters: {} } });
  }
});

test('A binding that took its time has its credentials when it is done [FEB-08, LOB-01]', async () => {
  const on = await instance('moments/brief');
  const id = randomUUID();
  const path = bindingPath(on, id);
  expect((await bind(on, { id, query: incomplete })).status).toBe(202);
  expect((await untilEnded(path)).body).toMatchObject({ state: 'succeeded' });
  const { body } = await ask('get', path);
  expect(body).toMatchObject({ credentials: { password: expect.stringMatching(/^.{24}$/) as string } });
});

test.each<[string, Members, Members]>([
  ['none', {}, {}],
  ['null', { parameters: null }, {}],
  ['an empty object', { parameters: {} }, {}],
  [
    'some of every type',
    { parameters: { a: [1, null, { b: 'ü' }], c: 1.5 } },
    { a: [1, null, { b: 'ü' }], c: 1.5 },
  ],
  [
    'names of every object',
    { parameters: { constructor: 'x', toString: 'y' } },
    { constructor: 'x', toString: 'y' },
  ],
])('Parameters are told as they were sent: %s [FEB-05]', async (_which, body, parameters) => {
  const { path } = await binding(await instance('trial-timing/quick'), { body });
  expect((await ask('get', path)).body).toMatchObject({ parameters });
});

test.each<[string, Record<string, string>]>([
  ['none', {}],
  ['of nothing that exists', { service_id: 'unknown', plan_id: 'unknown' }],
  ['empty', { service_id: '', plan_id: '' }],
  ['only one', { plan_id: 'big_0001' }],
  ['very long', { service_id: 'x'.repeat(5000) }],
  ['of odd characters', { service_id: '\0', plan_id: '%00\u{1F600}__proto__' }],
])('The hints in the query do not matter: %s [FEB-06]', async (_which, query) => {
  const { told, path } = await binding(await instance('trial-timing/quick'));
  const { status, body } = await ask('get', path, { query });
  expect({ status, body: body as object }).toEqual({ status: 200, body: { ...told, parameters: {} } });
});

describe('Not found', () => {
  test('A fetch does not find a binding that never was, of an instance that is there or never was [FEB-02]', async () => {
    const on = await instance('trial-timing/quick');
    const never = unknownInstance('unheard-of', 'trial-timing/quick');
    for (const path of [bindingPath(on, 'unheard-of'), bindingPath(never, 'unheard-of')]) {
      expect(await refused(() => ask('get', path))).toMatchObject(notFound);
      expect(await refused(() => ask('get', path, { query: { ...on.ids } }))).toMatchObject(notFound);
    }
  });

  test('A fetch does not find a binding of another instance, however it is asked for [FEB-02, URL-12]', async () => {
    const [here, there] = [await instance('trial-timing/quick'), await instance('trial-timing/quick')];
    const one = await binding(here);
    expect(await refused(() => ask('get', bindingPath(there, one.id)))).toMatchObject(notFound);
    expect((await ask('get', one.path)).body).toMatchObject(one.told);
  });

  test('A fetch does not find a binding that is still being made [FEB-03]', async () => {
    const on = await instance('moments/endless-bind');
    const path = bindingPath(on, 'endless');
    expect((await bind(on, { id: 'endless', query: incomplete })).status).toBe(202);
    expect(await refused(() => ask('get', path))).toMatchObject(notFound);
    expect((await unbind({ path, instance: on })).status).toBe(200);
    expect(await refused(() => ask('get', path))).toMatchObject(notFound);
  });

  test('A fetch does not find a binding that was unbound [FEB-04]', async () => {
    const one = await binding(await instance('trial-timing/quick'));
    await unbind(one);
    expect(await refused(() => ask('get', one.path))).toMatchObject(notFound);
  });

  test('A fetch does not find a binding whose instance was deprovisioned [FEB-07, DEP-10]', async () => {
    const on = await instance('trial-timing/quick');
    const one = await binding(on);
    expect((await deprovision(on)).status).toBe(200);
    expect(await refused(() => ask('get', one.path))).toMatchObject(notFound);
    expect((await unbind(one)).status).toBe(410);
  });

  test('A fetch does not find a binding that failed [FEB-03]', async () => {
    const on = await instance('moments/failing-bind');
    const path = bindingPath(on, 'failed');
    expect((await bind(on, { id: 'failed', query: incomplete })).status).toBe(202);
    expect((await untilEnded(path)).body).toMatchObject({
      state: 'failed',
      description: 'It would not bind.',
    });
    expect(await refused(() => ask('get', path))).toMatchObject(notFound);
  });

  test('A fetch does not find a binding whose time is over; soon nothing is left of it, and its id is free [FEB-04]', async () => {
    const on = await instance('turning/short-lived');
    const before = await platform.traces();
    const one = await binding(on, { id: 'short' });
    const { expires_at: end } = one.told['metadata'] as { expires_at: string };
    expect((await ask('get', one.path)).status).toBe(200);
    await until('its time is over', async () => (await ask('get', one.path)).status !== 200);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(end));
    await until(
      'nothing is left of it',
      async () => left(await platform.traces()).length <= left(before).length,
    );
    expect(left(await platform.traces())).toEqual(left(before));
    expect((await unbind(one)).status).toBe(410);
    expect((await binding(on, { id: 'short' })).told).not.toEqual(one.told);
  });
});

test('A binding whose time is over is not told to who asks for it once more, even before it is removed [BND-03, FEB-04]', async () => {
  const on = await idle.instance('turning/short-lived');
  const one = await idle.binding(on);
  await until('its time is over', async () => (await idle.ask('get', one.path)).status !== 200);
  const answer = await idle.refused(() => idle.bind(on, { id: one.id }));
  expect(answer).toMatchObject({ status: 422, body: { error: 'ConcurrencyError' } });
  expect((await idle.unbind(one)).status).toBe(200);
  expect((await idle.bind(on, { id: one.id })).status).toBe(201);
});

/** Without operations, which are history, and instances, whose version is raised by each binding. */
function left(traces: readonly string[]): readonly string[] {
  return traces.filter((line) => !/^(operations|service_instances) /.test(line));
}

test('A binding that cannot be removed just now can still be fetched [FEB-01, UNB-08]', async () => {
  const one = await binding(await instance('trial-failing/unbind'));
  expect((await unbind(one)).status).toBe(500);
  expect((await ask('get', one.path)).body).toMatchObject(one.told);
});

test('Another broker on the same database, also one that sells nothing of it any more, tells the same [FEB-01]', async () => {
  const one = await binding(await instance('trial-features/endpoints'));
  const env = { CATALOG_DIR: 'catalog', DATA_DIR: platform.dataDir };
  const other = await startWholeBroker(platform.database(), env);
  try {
    const { status, body } = await other.ask('get', one.path);
    expect({ status, body: body as object }).toEqual({ status: 200, body: { ...one.told, parameters: {} } });
  } finally {
    await other.stop();
  }
});
