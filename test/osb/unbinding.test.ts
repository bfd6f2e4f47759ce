import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { idsOf } from '../support/instance-platform.ts';
import {
  bindingPath,
  incomplete,
  instancePath,
  operationIn,
  trialPlatform,
  unknownInstance,
  type Binding,
  type Instance,
} from '../support/trial-platform.ts';
import { startWholeBroker } from '../support/whole-broker.ts';

/** spec.md, Unbinding. */

const platform = trialPlatform({ ASYNC_PATIENCE: '100ms' }, { brokers: 2 });
// It does not let requests wait long.
const hasty = trialPlatform({ SYNC_PATIENCE: '300ms' });
const { ask, bind, binding, deprovision, instance, refused, unbind, untilEnded } = platform;

type Addressed = Pick<Binding, 'path' | 'instance'>;

function addressed(on: Instance, id: string): Addressed {
  return { path: bindingPath(on, id), instance: on };
}

/** What was made for bindings of this instance. */
async function recordsOf({ id }: Instance): Promise<readonly string[]> {
  const { rows } = await platform
    .database()
    .pool.query<{ part: string }>(
      `select part from trial_records where instance_id = $1 and part like 'binding%'`,
      [id],
    );
  return rows.map(({ part }) => part);
}

describe('A binding that is there', () => {
  test.each([
    'echo/large',
    'trial-timing/quick',
    'trial-syslog-drain/drain',
    'trial-route/forward',
    'trial-volume/shared',
  ])(
    'A binding of %s is removed with 200 and an empty object; then it is gone [UNB-01, UNB-02, UNB-06, DEP-14]',
    async (plan) => {
      const one = await binding(await instance(plan));
      const { status, body } = await unbind(one);
      expect({ status, body: body as object }).toEqual({ status: 200, body: {} });
      expect((await ask('get', one.path)).status).toBe(404);
      expect(await recordsOf(one.instance)).toEqual([]);
      const again = await refused(() => unbind(one));
      expect({ status: again.status, body: again.body as object }).toEqual({ status: 410, body: {} });
    },
  );

  test('A binding that takes its time is removed with 202; the poll ends with its end, and it is told 202 once more while that goes on [UNB-01, UNB-07, LOB-05, LOP-10, LOP-11]', async () => {
    const one = await slowBinding();
    const first = await unbind(one, { query: incomplete });
    const again = await unbind(one, { query: incomplete });
    expect(operationIn(again)).toEqual(operationIn(first));
    const query = operationIn(first);
    expect((await ask('get', `${one.path}/last_operation`, { query })).body).toMatchObject({
      state: 'in progress',
    });
    const { status, body } = await untilEnded(one.path, query);
    expect({ status, body: body as object }).toMatchObject({ status: 200, body: { state: 'succeeded' } });
    expect((await unbind(one, { query: incomplete })).status).toBe(410);
    expect(await recordsOf(one.instance)).toEqual([]);
  });

  test('A binding that takes its time is removed with 200 for who does not accept to wait, also when it is asked twice [UNB-06, UNB-07]', async () => {
    const one = await slowBinding();
    const answers = await Promise.all([unbind(one), unbind(one)]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect((await unbind(one)).status).toBe(410);
  });

  test('A binding of a plan that needs time stays, with AsyncRequired, unless the platform accepts to wait [UNB-06, STS-03]', async () => {
    const on = await instance('turning/async-binds');
    const one = addressed(on, 'one');
    if ((await bind(on, { id: 'one', query: incomplete })).status === 202) await untilEnded(one.path);
    for (const query of [{}, ...['false', ''].map((value) => ({ accepts_incomplete: value }))]) {
      expect(await refused(() => unbind(one, { query }))).toMatchObject({
        status: 422,
        body: { error: 'AsyncRequired' },
      });
    }
    expect((await ask('get', one.path)).status).toBe(200);
    expect([200, 202]).toContain((await unbind(one, { query: incomplete })).status);
  });

  test('A binding that is there is removed whatever stands in the body of the request [UNB-09]', async () => {
    const on = await instance('trial-timing/quick');
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    for (const sent of [
      { body: { service_id: 'other' } },
      { body: '{"not json' },
      { body: 'a=b', headers },
    ]) {
      expect((await unbind(await binding(on), sent)).status).toBe(200);
    }
    expect(
      (await unbind(await binding(on), { headers: { 'content-type': 'application/json' } })).status,
    ).toBe(200);
  });

  test('A binding that is there can be made again under the same id, with a new password [UNB-01]', async () => {
    const on = await instance('trial-features/plain');
    const first = await binding(on, { id: 'again' });
    await unbind(first);
    const second = await binding(on, { id: 'again' });
    expect(second.told.credentials?.['password']).not.toBe(first.told.credentials?.['password']);
  });

  test('A binding that is there is removed for a broker that does not sell the plan any more [UNB-01, ORP-03]', async () => {
    const on = await instance('trial-features/plain');
    const one = await binding(on);
    const other = await startWholeBroker(platform.database(), {
      CATALOG_DIR: 'catalog',
      DATA_DIR: platform.dataDir,
    });
    try {
      expect((await other.ask('delete', one.path, { query: { ...on.ids } })).status).toBe(200);
      const second = await other.ask('put', bindingPath(on, 'second'), { body: on.ids });
      expect(second.status).toBe(201);
      expect((await other.ask('delete', bindingPath(on, 'second'), { query: { ...on.ids } })).status).toBe(
        200,
      );
      expect((await other.ask('delete', on.path, { query: { ...on.ids } })).status).toBe(200);
    } finally {
      await other.stop();
    }
    expect((await unbind(one)).status).toBe(410);
  });
});

async function slowBinding(): Promise<Binding> {
  return binding(await instance('turning/brief'));
}

describe('A binding that is not there is gone', () => {
  test('A binding that is not there is gone when it never was, and when its instance never was [UNB-02]', async () => {
    const on = await instance('trial-timing/quick');
    const never = unknownInstance('unheard-of', 'trial-timing/quick');
    for (const one of [addressed(on, 'unheard-of'), addressed(never, 'unheard-of')]) {
      for (const query of [{}, incomplete]) {
        const { status, body } = await refused(() => unbind(one, { query }));
        expect({ status, body: body as object }).toEqual({ status: 410, body: {} });
      }
    }
  });

  test('A binding that is not there is gone when its plan is not known either, as platforms clean up for ever [UNB-02]', async () => {
    const ids = { service_id: 'long-gone', plan_id: 'long-gone' };
    const never = { id: 'unheard-of', path: instancePath('unheard-of'), ids };
    expect((await refused(() => unbind(addressed(never, 'unheard-of')))).status).toBe(410);
  });

  test('A binding that is not there is gone when it is of another instance, where it stays untouched [URL-12, UNB-02]', async () => {
    const [here, there] = [await instance('trial-timing/quick'), await instance('trial-timing/quick')];
    const one = await binding(here);
    expect((await refused(() => unbind(addressed(there, one.id)))).status).toBe(410);
    expect((await ask('get', one.path)).body).toMatchObject(one.told);
  });

  test('A binding that is not there is gone when its instance was deprovisioned with it [UNB-02, DEP-10]', async () => {
    const on = await instance('trial-timing/quick');
    const one = await binding(on);
    expect((await deprovision(on)).status).toBe(200);
    expect((await refused(() => unbind(one))).status).toBe(410);
    expect(await recordsOf(on)).toEqual([]);
  });
});

const oddIds: readonly (readonly [string, string])[] = [
  ['NUL', '\0'],
  ['a word with NUL', 'a\0b'],
  ['__proto__', '__proto__'],
  ['constructor', 'constructor'],
  ['5 kB', 'x'.repeat(5120)],
  ['a picture', '\u{1F600}'],
  ['a path', '../../x'],
  ['a piece of SQL', "' or 1=1 --"],
];

describe('Refused, and the binding stays', () => {
  test.each<[string, Record<string, string>]>([
    ['no service_id', { plan_id: 'x' }],
    ['no plan_id', { service_id: 'x' }],
    ['neither', {}],
    ['an empty service_id', { service_id: '', plan_id: 'x' }],
    ['an empty plan_id', { service_id: 'x', plan_id: '' }],
  ])(
    'An unbind is refused, and the binding stays, for a request with %s [UNB-03, UNB-04]',
    async (_what, query) => {
      const one = await binding(await instance('trial-timing/quick'));
      const { service_id, plan_id } = one.instance.ids;
      const real = Object.entries({ service_id, plan_id }).map(([name, id]) => [name, query[name] && id]);
      const given = Object.fromEntries(real.filter(([, value]) => value !== undefined)) as Record<
        string,
        string
      >;
      const answer = await refused(() => ask('delete', one.path, { query: given }));
      const missing = ['service_id', 'plan_id'].find((name) => !query[name]) ?? '';
      expect(answer).toMatchObject({
        status: 400,
        body: { error: 'BadRequest', description: expect.stringContaining(missing) as string },
      });
      expect((await unbind(one)).status).toBe(200);
    },
  );

  test.each<[string, Record<string, string>]>([
    ['an unknown service', { service_id: 'unknown' }],
    ['an unknown plan', { plan_id: 'unknown' }],
    ['another plan of the service', { plan_id: idsOf('trial-timing/slow').plan_id }],
    ['another service and its plan', { ...idsOf('echo/large') }],
    ['an accepts_incomplete of maybe', { accepts_incomplete: 'maybe' }],
  ])('An unbind is refused, and the binding stays, for a request with %s [UNB-04]', async (_what, query) => {
    const one = await binding(await instance('trial-timing/quick'));
    const answer = await refused(() => unbind(one, { query }));
    expect(answer).toMatchObject({ status: 400, body: { error: 'BadRequest' } });
  });

  test.each(oddIds)(
    'An unbind is refused, and the binding stays, for a request with %s as the id of service, plan or both [UNB-05]',
    async (_what, odd) => {
      const one = await binding(await instance('trial-timing/quick'));
      const queries: Record<string, string>[] = [
        { service_id: odd },
        { plan_id: odd },
        { service_id: odd, plan_id: odd },
      ];
      for (const query of queries) expect((await refused(() => unbind(one, { query }))).status).toBe(400);
    },
  );

  const holdsNul = ([, odd]: readonly [string, string]) => odd.includes('\0');

  test.each(oddIds.filter((one) => !holdsNul(one)))(
    'An unbind is refused with 410 for a request for %s as a binding, which was never made [UNB-05]',
    async (_what, odd) => {
      const on = await instance('trial-timing/quick');
      expect((await refused(() => unbind(addressed(on, odd)))).status).toBe(410);
    },
  );

  test.each(oddIds.filter(holdsNul))(
    'An unbind is refused with 400 for a request for %s as a binding, which no path may hold',
    async (_what, odd) => {
      const on = await instance('trial-timing/quick');
      expect((await refused(() => unbind(addressed(on, odd)))).status).toBe(400);
    },
  );

  test('An unbind is refused, and the binding stays, for a request while the instance is being updated [UNB-04, BND-25]', async () => {
    const on = await instance('moments/endless-update');
    const one = await binding(on);
    const updated = await platform.update(on, { query: incomplete, body: { parameters: { size: 2 } } });
    expect(updated.status).toBe(202);
    const answer = await refused(() => unbind(one));
    expect(answer).toMatchObject({ status: 422, body: { error: 'ConcurrencyError' } });
  });
});

test('A binding of an instance that is being deleted is not removed beside that, and is gone with it [UNB-04, DEP-11]', async () => {
  const one = await slowBinding();
  expect((await deprovision(one.instance, { query: incomplete })).status).toBe(202);
  const answer = await refused(() => unbind(one));
  expect(answer).toMatchObject({ status: 422, body: { error: 'ConcurrencyError' } });
  expect((await untilEnded(one.instance.path)).status).toBe(410);
  expect((await unbind(one)).status).toBe(410);
  expect(await recordsOf(one.instance)).toEqual([]);
});

describe('A binding that is still being made', () => {
  test.each([[{}], [incomplete]])(
    'A binding that is still being made is halted by an unbind with %j, and stays away for good [UNB-08, ORP-03]',
    async (query) => {
      const on = await instance('moments/endless-bind');
      const one = addressed(on, randomUUID());
      const made = operationIn(await bind(on, { id: one.path.split('/').at(-1) ?? '', query: incomplete }));
      const { status } = await unbind(one, { query });
      expect([200, 202]).toContain(status);
      const last = await untilEnded(one.path);
      expect(last.status === 410 || (last.body as { state: string }).state === 'succeeded').toBe(true);
      const told = await ask('get', `${one.path}/last_operation`, { query: made });
      expect(told.body).not.toMatchObject({ state: 'in progress' });
      expect((await ask('get', one.path)).status).toBe(404);
      expect((await unbind(one)).status).toBe(410);
      // Long enough for a late step of the bind.
      await wait(300);
      expect((await ask('get', one.path)).status).toBe(404);
      expect(await recordsOf(on)).toEqual([]);
      expect((await deprovision(on)).status).toBe(200);
    },
  );

  test('A binding that is still being made is gone although its last step goes on when it is unbound [UNB-08]', async () => {
    const on = await instance('turning/brief');
    const id = randomUUID();
    const one = addressed(on, id);
    expect((await bind(on, { id, query: incomplete })).status).toBe(202);
    expect([200, 202]).toContain((await unbind(one, { query: incomplete })).status);
    expect((await untilEnded(one.path)).status).toBe(410);
    expect(await recordsOf(on)).toEqual([]);
    expect((await binding(on, { id })).told.credentials).toBeDefined();
  });
});

describe('An unbind that fails', () => {
  test('An unbind that fails leaves the binding, says why, and works when it is asked again [UNB-01, ORP-02, ORP-03, ERR-03]', async () => {
    const on = await instance('trial-failing/unbind');
    const one = await binding(on);
    const { status, body } = await unbind(one);
    const description = 'The password is still in use.';
    expect({ status, body: body as object }).toEqual({
      status: 500,
      body: { error: 'OperationFailed', description },
    });
    expect((await ask('get', one.path)).body).toMatchObject(one.told);
    const polled = await ask('get', `${one.path}/last_operation`);
    expect({ status: polled.status, body: polled.body as object }).toEqual({
      status: 200,
      body: { state: 'failed', description },
    });
    expect((await unbind(one)).status).toBe(200);
    expect((await unbind(one)).status).toBe(410);
  });
});

test('An unbind that fails within a deprovision holds up nothing: the binding goes with its instance [DEP-10, DEP-13, ORP-03]', async () => {
  const on = await instance('trial-failing/unbind');
  const one = await binding(on);
  expect((await deprovision(on)).status).toBe(200);
  expect((await deprovision(on)).status).toBe(410);
  expect((await unbind(one)).status).toBe(410);
  expect(await recordsOf(on)).toEqual([]);
});

test('An unbind that takes longer than a broker lets requests wait goes on [UNB-06, UNB-07]', async () => {
  // What is at once as a rule takes longer than that broker waits where the machine is slow.
  const accepted = { query: incomplete };
  const one = await hasty.binding(await hasty.instance('moments/brief-removal', accepted), accepted);
  const { status, body } = await hasty.unbind(one);
  expect({ status, body: body as object }).toMatchObject({
    status: 500,
    body: { error: 'OperationFailed', description: expect.stringContaining('goes on') as string },
  });
  expect((await hasty.untilEnded(one.path)).status).toBe(410);
  expect((await hasty.unbind(one)).status).toBe(410);
});

describe('At once', () => {
  test.each(['trial-timing/quick', 'turning/brief', 'echo/large'])(
    'Many unbinds of one binding of %s at once end it once [CON-06]',
    async (plan) => {
      const one = await binding(await instance(plan));
      const answers = await Promise.all(
        Array.from({ length: 30 }, (_, at) => unbind(one, at % 3 === 0 ? { query: incomplete } : {})),
      );
      const codes = new Set(answers.map(({ status }) => status));
      for (const status of codes) expect([200, 202, 410]).toContain(status);
      expect((await untilEnded(one.path)).status).toBe(410);
      expect((await unbind(one)).status).toBe(410);
      expect(await recordsOf(one.instance)).toEqual([]);
    },
  );

  test('Binds and the deprovision of their instance at once are answered in a defined way, and all is gone in the end [CON-07]', async () => {
    for (let round = 0; round < 5; round += 1) {
      const on = await instance('trial-timing/quick');
      const ids = Array.from({ length: 12 }, () => randomUUID());
      const [removed, ...binds] = await Promise.all([
        deprovision(on, { query: incomplete }),
        ...ids.map((id) => bind(on, { id, query: incomplete })),
      ]);
      expect([200, 202, 422]).toContain(removed.status);
      for (const { status } of binds) expect([201, 202, 404, 422]).toContain(status);
      for (const id of ids) await untilEnded(bindingPath(on, id));
      await untilEnded(on.path);
      for (const id of ids) expect([200, 410]).toContain((await unbind(addressed(on, id))).status);
      expect([200, 410]).toContain((await deprovision(on)).status);
      expect((await deprovision(on)).status).toBe(410);
      expect(await recordsOf(on)).toEqual([]);
    }
  });
});
