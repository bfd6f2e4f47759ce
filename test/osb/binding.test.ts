import { randomUUID } from 'node:crypto';
import type { Response } from 'supertest';
import { idsOf } from '../support/instance-platform.ts';
import {
  bindingPath,
  incomplete,
  operationIn,
  trialPlatform,
  unknownInstance,
  type Instance,
  type Members,
  type Sent,
} from '../support/trial-platform.ts';

/** spec.md, Binding: what is answered to a request to bind. */

const platform = trialPlatform({ ASYNC_PATIENCE: '100ms' }, { brokers: 2 });
// It does not let requests wait long.
const hasty = trialPlatform({ SYNC_PATIENCE: '300ms' });
const { ask, bind, binding, instance, refused, unbind, deprovision, untilEnded } = platform;

const concurrency = 'The Service Broker does not support concurrent requests that mutate the same resource.';
const asyncRequired = 'This service plan requires client support for asynchronous service operations.';
const requiresApp = 'This service supports generation of credentials through binding an application only.';

/** A bind that must be refused, and neither it nor anything else is there afterwards. */
async function refusedBind(on: Instance, sent: Sent): Promise<Pick<Response, 'status' | 'body'>> {
  const id = sent.id ?? randomUUID();
  const { status, body } = await refused(() => bind(on, { ...sent, id }));
  return { status, body: body as unknown };
}

function invalid(field: string): object {
  const description = expect.stringContaining(field) as string;
  return { status: 400, body: { error: 'BadRequest', description } };
}

describe('A new binding', () => {
  test.each(['echo/large', 'invert/small', 'trial-timing/quick', 'trial-features/plain'])(
    'of %s is answered 201 with credentials that travel well, and told again when it is fetched [BND-01, BND-02, BND-18, BND-30]',
    async (plan) => {
      const { told, path } = await binding(await instance(plan));
      expect(Object.keys(told)).toEqual(['credentials']);
      for (const [key, value] of Object.entries(told.credentials ?? {})) {
        expect(key).toMatch(/^[-._a-zA-Z0-9]+$/);
        expect(value).toEqual(expect.stringMatching(/./));
      }
      expect((await ask('get', path)).body).toEqual({ ...told, parameters: {} });
    },
  );

  test('of a plan that needs time is refused with AsyncRequired unless the platform waits, and nothing is made [BND-02, STS-03]', async () => {
    const on = await instance('moments/async-only', { query: incomplete });
    const answer = { status: 422, body: { error: 'AsyncRequired', description: asyncRequired } };
    expect(await refusedBind(on, {})).toEqual(answer);
    expect(await refusedBind(on, { query: { accepts_incomplete: 'false' } })).toEqual(answer);
    expect(await refusedBind(on, { query: { accepts_incomplete: '' } })).toEqual(answer);
    expect([201, 202]).toContain((await bind(on, { query: incomplete })).status);
  });

  test('that takes its time is answered 202 with nothing of itself; its credentials can be fetched when it is done [BND-01, BND-29, BND-30, CAT-45, FEB-08]', async () => {
    const on = await instance('moments/brief', { query: incomplete });
    const id = randomUUID();
    const answer = await bind(on, { id, query: incomplete });
    expect({ status: answer.status, body: answer.body as object }).toEqual({
      status: 202,
      body: { operation: expect.any(String) as string },
    });
    const path = bindingPath(on, id);
    expect((await untilEnded(path, operationIn(answer))).body).toMatchObject({ state: 'succeeded' });
    const fetched = await ask('get', path);
    expect(fetched.body).toMatchObject({
      credentials: { password: expect.stringMatching(/^.{24}$/) as string },
    });
    const again = await bind(on, { id, query: incomplete });
    expect(again.status).toBe(200);
    expect({ ...(again.body as object), parameters: {} }).toEqual(fetched.body);
  });

  test('is made at once although the instance needed time, as those need it who never wait [BND-02]', async () => {
    const on = await instance('trial-timing/async-instances', { query: incomplete });
    expect((await bind(on)).status).toBe(201);
  });

  test('whose accepts_incomplete is neither true nor false is refused [BND-02, STS-02]', async () => {
    const on = await instance('trial-timing/quick');
    const answer = await refusedBind(on, { query: { accepts_incomplete: 'maybe' } });
    expect(answer).toEqual(invalid('accepts_incomplete'));
  });

  test('that fails leaves nothing: it is not found, can be unbound, and the id is free again [BND-04, ORP-02]', async () => {
    const on = await instance('trial-failing/bind');
    const before = await platform.traces();
    const failing = { path: bindingPath(on, 'failing'), instance: on };
    const { status, body } = await bind(on, { id: 'failing' });
    expect({ status, body }).toEqual({
      status: 500,
      body: { error: 'OperationFailed', description: 'The trial gives nobody a password.' },
    });
    expect((await ask('get', failing.path)).status).toBe(404);
    expect((await bind(on, { id: 'failing' })).status).toBe(500);
    expect([200, 410]).toContain((await unbind(failing)).status);
    expect((await unbind(failing)).status).toBe(410);
    expect(filesAndBindings(await platform.traces())).toEqual(filesAndBindings(before));
  });

  test('that fails after all was made is undone, and polled as failed without flags of instances [BND-30, ORP-02, ERR-03]', async () => {
    const on = await instance('trial-failing/bind-late');
    const before = await platform.traces();
    const late = { path: bindingPath(on, 'late'), instance: on };
    const answer = await bind(on, { id: 'late', query: incomplete });
    expect(answer.status).toBe(202);
    const ended = await untilEnded(late.path, operationIn(answer));
    expect(ended.body).toEqual({ state: 'failed', description: 'The password of the trial does not work.' });
    expect((await ask('get', late.path)).status).toBe(404);
    expect([200, 410]).toContain((await unbind(late)).status);
    expect((await unbind(late)).status).toBe(410);
    expect(filesAndBindings(await platform.traces())).toEqual(filesAndBindings(before));
  });
});

/** Without the operations, which are history. */
function filesAndBindings(traces: readonly string[]): readonly string[] {
  return traces.filter((line) => !/^(operations|service_instances) /.test(line));
}

describe('The same request again', () => {
  test.each(['echo/large', 'trial-features/rotatable', 'trial-volume/shared'])(
    'for a binding of %s is answered 200 with the same binding, however often, and one unbind ends it [BND-03, BND-04, BND-05]',
    async (plan) => {
      const on = await instance(plan);
      const one = await binding(on);
      const before = await platform.traces();
      for (const query of [{}, incomplete, {}]) {
        const { status, body } = await bind(on, { id: one.id, query });
        expect({ status, body }).toEqual({ status: 200, body: one.told });
      }
      expect(await platform.traces()).toEqual(before);
      expect((await unbind(one)).status).toBe(200);
      expect((await unbind(one)).status).toBe(410);
    },
  );

  test('is known whatever the context says, and with parameters left out, null or empty [BND-03]', async () => {
    const on = await instance('trial-timing/quick');
    const { id } = await binding(on, { body: { context: { platform: 'cloudfoundry', space_name: 'old' } } });
    const same = [
      {},
      { parameters: {} },
      { parameters: null },
      { context: { platform: 'cloudfoundry', space_name: 'new' } },
      { context: {} },
      { bind_resource: {} },
      { app_guid: '', bind_resource: { app_guid: '' } },
    ];
    for (const body of same) expect((await bind(on, { id, body })).status).toBe(200);
  });

  test('while it is being made is answered 202 with the same operation; with other parameters it is a conflict [BND-07, BND-08]', async () => {
    const on = await instance('moments/endless-bind');
    const id = randomUUID();
    const body = { parameters: { role: 'reader' } };
    const first = await bind(on, { id, body, query: incomplete });
    const again = await bind(on, { id, body, query: incomplete });
    expect([first.status, again.status]).toEqual([202, 202]);
    expect(again.body).toEqual(first.body);
    const other = await refusedBind(on, { id, body: { parameters: { role: 'writer' } }, query: incomplete });
    expect(other).toMatchObject({ status: 409, body: { error: 'Conflict' } });
    const path = bindingPath(on, id);
    expect((await ask('get', `${path}/last_operation`, { query: operationIn(first) })).body).toMatchObject({
      state: 'in progress',
    });
    expect((await unbind({ path, instance: on })).status).toBe(200);
  });
});

describe('Who waits for a binding', () => {
  test('that another request is having made gets it when it is there [BND-02, BND-07]', async () => {
    const on = await instance('turning/brief');
    const id = randomUUID();
    expect((await bind(on, { id, query: incomplete })).status).toBe(202);
    const { status, body } = await bind(on, { id });
    expect(status).toBe(200);
    expect({ ...(body as object), parameters: {} }).toEqual((await ask('get', bindingPath(on, id))).body);
  });

  test('that cannot be fetched is never answered 202: its credentials come with the answer [BND-30, CAT-45]', async () => {
    const on = await instance('unfetchable/brief-bind');
    const sent = { id: randomUUID(), query: incomplete };
    const answers = await Promise.all([bind(on, sent), bind(on, sent)]);
    const [first, second] = answers.toSorted((a, b) => b.status - a.status);
    expect([first?.status, second?.status]).toEqual([201, 200]);
    expect(first?.body).toEqual({ credentials: { password: expect.stringMatching(/^.{24}$/) as string } });
    expect(second?.body).toEqual(first?.body);
  });

  test('longer than a broker lets requests wait is told that it was given up; nothing of it is left [BND-02, ORP-02]', async () => {
    const on = await hasty.instance('moments/endless-bind');
    const one = { path: bindingPath(on, 'endless'), instance: on };
    const before = filesAndBindings(await hasty.traces());
    const { status, body } = await hasty.bind(on, { id: 'endless' });
    expect({ status, body: body as object }).toMatchObject({
      status: 500,
      body: { error: 'OperationFailed', description: expect.stringContaining('given up') as string },
    });
    expect((await hasty.untilEnded(one.path)).body).toMatchObject({ state: 'failed' });
    expect((await hasty.ask('get', one.path)).status).toBe(404);
    expect([200, 410]).toContain((await hasty.unbind(one)).status);
    expect((await hasty.unbind(one)).status).toBe(410);
    expect(filesAndBindings(await hasty.traces())).toEqual(before);
  });
});

describe('An id that is taken by a different binding', () => {
  test.each<[string, Members]>([
    ['other parameters [BND-06.parameters]', { parameters: { role: 'writer' } }],
    ['no parameters any more [BND-06.parameters]', { parameters: {} }],
    ['another plan [BND-06.plan]', { ...idsOf('trial-schemas/draft-06') }],
    ['another service [BND-06.plan]', { ...idsOf('echo/large') }],
    ['another app_guid [BND-06.app]', { app_guid: 'another-app' }],
    ['no app_guid any more [BND-06.app]', { app_guid: undefined }],
    ['a route [BND-06.app]', { bind_resource: { route: 'www.example.com' } }],
  ])('is answered 409 to a request with %s, and stays as it was', async (_what, difference) => {
    const on = await instance('trial-schemas/draft-04');
    const body = { app_guid: 'an-app', parameters: { role: 'reader' } };
    const one = await binding(on, { body });
    const answer = await refusedBind(on, { id: one.id, body: { ...body, ...difference } });
    expect(answer).toMatchObject({ status: 409, body: { error: 'Conflict' } });
    expect((await bind(on, { id: one.id, body })).body).toEqual(one.told);
  });
});

describe('Refused with 400, and nothing is made', () => {
  const wrongTexts = [undefined, '', null, 5, true, {}, ['x']];
  test.each(['service_id', 'plan_id'].flatMap((field) => wrongTexts.map((value) => [field, value] as const)))(
    'is a %s of %j [BND-09]',
    async (field, value) => {
      const on = await instance('trial-timing/quick');
      expect(await refusedBind(on, { body: { [field]: value } })).toEqual(invalid(field));
    },
  );

  const fields = ['parameters', 'context', 'bind_resource'];
  test.each(fields.flatMap((field) => ['x', 5, true, [], [{}]].map((value) => [field, value] as const)))(
    'is %s that is no object but %j [BND-10]',
    async (field, value) => {
      const on = await instance('trial-timing/quick');
      expect(await refusedBind(on, { body: { [field]: value } })).toEqual(invalid(field));
    },
  );

  test.each<[string, string, Members]>([
    ['an unknown service', 'service_id', { service_id: 'unknown' }],
    ['an unknown plan', 'plan_id', { plan_id: 'unknown' }],
    ['another plan of the service', 'plan_id', { plan_id: idsOf('trial-timing/slow').plan_id }],
    ['another service and its plan', 'service_id', { ...idsOf('echo/large') }],
    ['service and plan swapped', 'service_id', swapped('trial-timing/quick')],
    ['the name of the plan for its id', 'plan_id', { plan_id: 'quick' }],
  ])('is %s [BND-12, BND-13]', async (_what, field, body) => {
    const on = await instance('trial-timing/quick');
    expect(await refusedBind(on, { body })).toEqual(invalid(field));
  });

  test.each([5, true, {}, []])(
    'is an app_guid of %j, at the top and in bind_resource [BND-15.empty]',
    async (value) => {
      const on = await instance('trial-timing/quick');
      expect(await refusedBind(on, { body: { app_guid: value } })).toEqual(invalid('app_guid'));
      const body = { bind_resource: { app_guid: value } };
      expect(await refusedBind(on, { body })).toEqual(invalid('bind_resource.app_guid'));
    },
  );

  test('are two different apps in one request [BND-15.app]', async () => {
    const on = await instance('trial-timing/quick');
    const body = { app_guid: 'one', bind_resource: { app_guid: 'two' } };
    expect(await refusedBind(on, { body })).toEqual(invalid('app_guid'));
  });

  test('is a plan that cannot be bound [BND-14]', async () => {
    const on = await instance('trial-features/not-bindable');
    expect(await refusedBind(on, {})).toMatchObject({ status: 400 });
    expect(await refusedBind(on, { query: incomplete })).toMatchObject({ status: 400 });
  });

  test.each([{ role: 'king' }, { role: null }, { rule: 'reader' }])(
    'are the parameters %j, which the schema of the plan does not allow [BND-16]',
    async (parameters) => {
      const on = await instance('trial-schemas/draft-04');
      expect(await refusedBind(on, { body: { parameters } })).toEqual(
        invalid(Object.keys(parameters)[0] ?? ''),
      );
    },
  );
});

test('After a change of plan bindings are asked for with the new plan, and the old ones stay [BND-12, UPD-05, UNB-04]', async () => {
  const before = await instance('trial-features/plain');
  const one = await binding(before);
  const ids = { ...idsOf('trial-features/rotatable') };
  expect((await platform.update(before, { body: { plan_id: ids.plan_id } })).status).toBe(200);
  expect(await refusedBind(before, {})).toEqual(invalid('plan_id'));
  const after = { ...before, ids };
  const successor = await bind(after, { body: { predecessor_binding_id: one.id } });
  expect(successor.status).toBe(201);
  expect((await ask('get', one.path)).body).toMatchObject(one.told);
  const never = { ...before, ids: { ...ids, plan_id: idsOf('trial-features/expiring').plan_id } };
  expect((await refused(() => unbind({ ...one, instance: never }))).status).toBe(400);
  // A platform that has lost the answer to the change knows only the plan from before.
  expect((await unbind(one)).status).toBe(200);
});

function swapped(plan: string): Members {
  const { service_id: service, plan_id } = idsOf(plan);
  return { service_id: plan_id, plan_id: service };
}

describe('An instance that is not ready', () => {
  test('and never was there answers 404 [BND-11]', async () => {
    const on = unknownInstance('unheard-of', 'trial-timing/quick');
    expect(await refusedBind(on, {})).toMatchObject({ status: 404, body: { error: 'NotFound' } });
    expect(await refusedBind(on, { query: incomplete })).toMatchObject({ status: 404 });
  });

  test('because it was deleted answers 404 [BND-11]', async () => {
    const on = await instance('trial-timing/quick');
    await deprovision(on);
    expect(await refusedBind(on, {})).toMatchObject({ status: 404 });
  });

  test('because it is still being made answers ConcurrencyError and is not disturbed [BND-23, BND-24]', async () => {
    const on = unknownInstance('in-the-making', 'moments/endless');
    const provisioned = await platform.provision('moments/endless', { id: on.id, query: incomplete });
    expect(provisioned.status).toBe(202);
    const answer = { status: 422, body: { error: 'ConcurrencyError', description: concurrency } };
    expect(await refusedBind(on, {})).toEqual(answer);
    expect(await refusedBind(on, { query: incomplete })).toEqual(answer);
    const polled = await ask('get', `${on.path}/last_operation`, { query: operationIn(provisioned) });
    expect(polled.body).toMatchObject({ state: 'in progress' });
    expect((await deprovision(on)).status).toBe(200);
  });

  test('because it is being updated answers ConcurrencyError; when that is over it can be bound [BND-25]', async () => {
    const on = await instance('trial-failing/update-unusable');
    const updated = await ask('patch', on.path, {
      query: incomplete,
      body: { ...on.ids, parameters: { size: 2 } },
    });
    expect(updated.status).toBe(202);
    expect(await refusedBind(on, {})).toMatchObject({ status: 422, body: { error: 'ConcurrencyError' } });
    await untilEnded(on.path);
    expect((await bind(on)).status).toBe(201);
  });

  test('because it is being deleted answers ConcurrencyError [DEP-11, BND-24]', async () => {
    const on = await instance('moments/endless-removal');
    expect((await deprovision(on, { query: incomplete })).status).toBe(202);
    for (const query of [{}, incomplete]) {
      expect(await refusedBind(on, { query })).toMatchObject({
        status: 422,
        body: { error: 'ConcurrencyError' },
      });
    }
  });

  test('because its provision failed answers 4xx [BND-11, BND-13]', async () => {
    const on = unknownInstance('failed', 'trial-failing/provision');
    expect((await platform.provision('trial-failing/provision', { id: on.id })).status).toBe(500);
    await refusedBind(on, {});
  });
});

describe('What platforms say of the application', () => {
  test.each<[string, Members]>([
    ['at the top', { app_guid: 'an-app' }],
    ['in bind_resource', { bind_resource: { app_guid: 'an-app' } }],
    ['in both', { app_guid: 'an-app', bind_resource: { app_guid: 'an-app', space_guid: 'a-space' } }],
    ['empty in one of them', { app_guid: '', bind_resource: { app_guid: 'an-app' } }],
    ['with unknown members', { app_guid: 'an-app', bind_resource: { app_annotations: {}, x: [null] } }],
  ])('%s is taken by a plan that needs an application [BND-15.app]', async (_where, body) => {
    expect((await bind(await instance('trial-features/app-required'), { body })).status).toBe(201);
  });

  test.each<[string, Members]>([
    ['no app_guid', {}],
    ['an empty bind_resource', { bind_resource: {} }],
    ['null in every place', { app_guid: null, bind_resource: null, predecessor_binding_id: null }],
    ['null in bind_resource', { bind_resource: { app_guid: null, route: null } }],
    ['the client of a service key', { bind_resource: { credential_client_id: 'client' } }],
    ['empty app_guids, as Korifi sends them', { app_guid: '', bind_resource: { app_guid: '' } }],
  ])(
    'can be nothing (%s): a key is made, or refused with RequiresApp by a plan that needs an application [BND-15, BND-15.empty]',
    async (_what, body) => {
      expect((await bind(await instance('trial-features/plain'), { body })).status).toBe(201);
      expect(await refusedBind(await instance('trial-features/app-required'), { body })).toEqual({
        status: 422,
        body: { error: 'RequiresApp', description: requiresApp },
      });
    },
  );

  test.each<[string, Members]>([
    ['members nobody knows', { favourite_colour: { deep: [1, null] }, credentials: 'none' }],
    ['no context', { context: undefined }],
    ['context null', { context: null, parameters: null, bind_resource: null }],
    ['the context of Kubernetes', { context: { platform: 'kubernetes', namespace: 'n', clusterid: 'c' } }],
    ['a context of a platform nobody knows', { context: { platform: 'moonbase', crew: ['a', 'b'] } }],
    ['a signed context', { context: { platform: 'sm', signature: 'c2lnbmVk' } }],
  ])('beside it is no obstacle: %s [BND-17]', async (_what, body) => {
    expect((await bind(await instance('trial-timing/quick'), { body })).status).toBe(201);
  });
});

describe('What an application gets beside credentials', () => {
  test('is a syslog_drain_url of an offering that requires syslog_drain [BND-20, BND-28]', async () => {
    const { told, path } = await binding(await instance('trial-syslog-drain/drain'));
    expect(told).toEqual({
      syslog_drain_url: expect.stringMatching(/^syslog-tls:\/\/\w+\.logs\.example\.com:6514$/),
    });
    expect((await ask('get', path)).body).toEqual({ ...told, parameters: {} });
  });

  test('are volume_mounts of an offering that requires volume_mount [BND-21, BND-28]', async () => {
    const { told, path } = await binding(await instance('trial-volume/shared'));
    const named = expect.stringMatching(/./) as string;
    expect(told).toEqual({
      volume_mounts: [
        {
          driver: 'nfsv3driver',
          container_dir: expect.stringMatching(/^\/var\/vcap\/data\/\w+$/),
          mode: 'rw',
          device_type: 'shared',
          device: { volume_id: named, mount_config: { source: named } },
        },
      ],
    });
    expect((await ask('get', path)).body).toEqual({ ...told, parameters: {} });
  });

  test('is a route_service_url with https and a host of an offering that requires route_forwarding [BND-22, BND-28]', async () => {
    const body = { bind_resource: { route: 'www.example.com/shop' } };
    const { told, path } = await binding(await instance('trial-route/forward'), { body });
    expect(told).toEqual({
      route_service_url: expect.stringMatching(/^https:\/\/\w+\.routes\.example\.com$/),
    });
    expect((await ask('get', path)).body).toEqual({ ...told, parameters: {} });
  });

  test('are endpoints with a host and ports that are texts [BND-28]', async () => {
    const { told } = await binding(await instance('trial-features/endpoints'));
    expect(told).toEqual({
      credentials: expect.any(Object) as object,
      endpoints: [
        {
          host: expect.stringMatching(/^\w+\.trial\.example\.com$/),
          ports: ['443', '8000-8010'],
          protocol: 'tcp',
        },
      ],
    });
  });

  test('is metadata that says when the binding ends and when to renew it before that [BND-28]', async () => {
    const asked = Date.now();
    const { told, path } = await binding(await instance('trial-features/expiring'));
    const { expires_at: end = '', renew_before: renewal = '' } = told['metadata'] as Record<string, string>;
    for (const time of [end, renewal]) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\dZ$/);
    expect(Date.parse(end) - Date.parse(renewal)).toBe(120_000);
    // Tenths of a second are shown.
    expect(Date.parse(end)).toBeGreaterThanOrEqual(asked + 300_000 - 100);
    expect(Date.parse(end)).toBeLessThanOrEqual(Date.now() + 300_000);
    expect((await ask('get', path)).body).toEqual({ ...told, parameters: {} });
  });
});

describe('Several bindings', () => {
  test('of one instance have passwords of their own, and each ends alone [BND-19, BND-27]', async () => {
    const on = await instance('trial-features/plain');
    const [one, two, three] = [await binding(on), await binding(on), await binding(on)];
    const passwords = [one, two, three].map(({ told }) => told.credentials?.['password']);
    expect(new Set(passwords).size).toBe(3);
    expect((await unbind(two)).status).toBe(200);
    expect((await ask('get', two.path)).status).toBe(404);
    for (const { path, told } of [one, three]) expect((await ask('get', path)).body).toMatchObject(told);
  });

  test('may have one id on two instances, and have nothing of each other [BND-26]', async () => {
    const [here, there] = [await instance('trial-features/plain'), await instance('trial-features/plain')];
    const one = await binding(here, { id: 'shared-id' });
    const { status, body } = await bind(there, { id: 'shared-id' });
    expect(status).toBe(201);
    expect(JSON.stringify(body)).not.toContain(one.told.credentials?.['password']);
    expect((await unbind(one)).status).toBe(200);
    expect((await ask('get', bindingPath(there, 'shared-id'))).body).toMatchObject(body as object);
  });

  test('asked for 50 times at once with one id are one binding with one password [CON-03]', async () => {
    const on = await instance('trial-timing/crash');
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, at) => bind(on, { id: 'one', query: at % 2 === 0 ? incomplete : {} })),
    );
    const codes = answers.map(({ status }) => status);
    expect(codes.filter((status) => status === 201).length).toBeLessThanOrEqual(1);
    expect(codes.every((status) => [200, 201, 202].includes(status))).toBe(true);
    await untilEnded(bindingPath(on, 'one'));
    const told = answers.filter(({ status }) => status < 202).map(({ text }) => text);
    expect(new Set(told).size).toBe(1);
    const operations = answers.filter(({ status }) => status === 202).map(({ text }) => text);
    expect(new Set(operations).size).toBe(1);
    expect((await platform.traces()).filter((line) => line.includes('"binding":"one"'))).toHaveLength(1);
  }, 20_000);

  test('asked for at once with different ids are all made [BND-27]', async () => {
    const on = await instance('trial-timing/quick');
    const answers = await Promise.all(Array.from({ length: 20 }, () => bind(on)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(20);
  });
});
