import { randomUUID } from 'node:crypto';
import { idsOf } from '../support/instance-platform.ts';
import {
  bindingPath,
  incomplete,
  operationIn,
  trialPlatform,
  unknownInstance,
  type Members,
} from '../support/trial-platform.ts';
import { invalid, refusedBinds } from './refused-binds.ts';

/** spec.md, Binding: what a bind demands of its request, of the instance and of the application. */

const platform = trialPlatform({ ASYNC_PATIENCE: '100ms' }, { brokers: 2 });
const { ask, bind, binding, instance, refused, unbind, deprovision, untilEnded } = platform;
const refusedBind = refusedBinds(platform);
const concurrency = 'The Service Broker does not support concurrent requests that mutate the same resource.';
const requiresApp = 'This service supports generation of credentials through binding an application only.';

describe('Refused with 400, and nothing is made', () => {
  const wrongTexts = [undefined, '', null, 5, true, {}, ['x']];
  test.each(['service_id', 'plan_id'].flatMap((field) => wrongTexts.map((value) => [field, value] as const)))(
    'A bind is refused with 400, and nothing is made, for a %s of %j [BND-09]',
    async (field, value) => {
      const on = await instance('trial-timing/quick');
      expect(await refusedBind(on, { body: { [field]: value } })).toEqual(invalid(field));
    },
  );

  const fields = ['parameters', 'context', 'bind_resource'];
  test.each(fields.flatMap((field) => ['x', 5, true, [], [{}]].map((value) => [field, value] as const)))(
    'A bind is refused with 400, and nothing is made, for %s that is no object but %j [BND-10]',
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
  ])(
    'A bind is refused with 400, and nothing is made, for %s [BND-12, BND-13]',
    async (_what, field, body) => {
      const on = await instance('trial-timing/quick');
      expect(await refusedBind(on, { body })).toEqual(invalid(field));
    },
  );

  test.each([5, true, {}, []])(
    'A bind is refused with 400, and nothing is made, for an app_guid of %j, at the top and in bind_resource [BND-15.empty]',
    async (value) => {
      const on = await instance('trial-timing/quick');
      expect(await refusedBind(on, { body: { app_guid: value } })).toEqual(invalid('app_guid'));
      const body = { bind_resource: { app_guid: value } };
      expect(await refusedBind(on, { body })).toEqual(invalid('bind_resource.app_guid'));
    },
  );

  test('A bind is refused with 400, and nothing is made, for two different apps in one request [BND-15.app]', async () => {
    const on = await instance('trial-timing/quick');
    const body = { app_guid: 'one', bind_resource: { app_guid: 'two' } };
    expect(await refusedBind(on, { body })).toEqual(invalid('app_guid'));
  });

  test('A bind is refused with 400, and nothing is made, for a plan that cannot be bound [BND-14]', async () => {
    const on = await instance('trial-features/not-bindable');
    expect(await refusedBind(on, {})).toMatchObject({ status: 400 });
    expect(await refusedBind(on, { query: incomplete })).toMatchObject({ status: 400 });
  });

  test.each([{ role: 'king' }, { role: null }, { rule: 'reader' }])(
    'A bind is refused with 400, and nothing is made, for the parameters %j, which the schema of the plan does not allow [BND-16]',
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
  test('A bind of an instance that never was there answers 404 [BND-11]', async () => {
    const on = unknownInstance('unheard-of', 'trial-timing/quick');
    expect(await refusedBind(on, {})).toMatchObject({ status: 404, body: { error: 'NotFound' } });
    expect(await refusedBind(on, { query: incomplete })).toMatchObject({ status: 404 });
  });

  test('A bind of an instance that was deleted answers 404 [BND-11]', async () => {
    const on = await instance('trial-timing/quick');
    await deprovision(on);
    expect(await refusedBind(on, {})).toMatchObject({ status: 404 });
  });

  test('A bind of an instance that is still being made answers ConcurrencyError and does not disturb it [BND-23, BND-24]', async () => {
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

  test('A bind of an instance that is being updated answers ConcurrencyError; when that is over it can be bound [BND-25]', async () => {
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

  test('A bind of an instance that is being deleted answers ConcurrencyError [DEP-11, BND-24]', async () => {
    const on = await instance('moments/endless-removal');
    expect((await deprovision(on, { query: incomplete })).status).toBe(202);
    for (const query of [{}, incomplete]) {
      expect(await refusedBind(on, { query })).toMatchObject({
        status: 422,
        body: { error: 'ConcurrencyError' },
      });
    }
  });

  test('A bind of an instance whose provision failed answers 4xx [BND-11, BND-13]', async () => {
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
    'What platforms say of the application can be nothing (%s): a key is made, or refused with RequiresApp by a plan that needs an application [BND-15, BND-15.empty]',
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
  ])('What platforms say beside the application is no obstacle: %s [BND-17]', async (_what, body) => {
    expect((await bind(await instance('trial-timing/quick'), { body })).status).toBe(201);
  });
});

describe('What an application gets beside credentials', () => {
  test('What an application gets beside credentials is a syslog_drain_url of an offering that requires syslog_drain [BND-20, BND-28]', async () => {
    const { told, path } = await binding(await instance('trial-syslog-drain/drain'));
    expect(told).toEqual({
      syslog_drain_url: expect.stringMatching(/^syslog-tls:\/\/\w+\.logs\.example\.com:6514$/),
    });
    expect((await ask('get', path)).body).toEqual({ ...told, parameters: {} });
  });

  test('What an application gets beside credentials are volume_mounts of an offering that requires volume_mount [BND-21, BND-28]', async () => {
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

  test('What an application gets beside credentials is a route_service_url with https and a host of an offering that requires route_forwarding [BND-22, BND-28]', async () => {
    const body = { bind_resource: { route: 'www.example.com/shop' } };
    const { told, path } = await binding(await instance('trial-route/forward'), { body });
    expect(told).toEqual({
      route_service_url: expect.stringMatching(/^https:\/\/\w+\.routes\.example\.com$/),
    });
    expect((await ask('get', path)).body).toEqual({ ...told, parameters: {} });
  });

  test('What an application gets beside credentials are endpoints with a host and ports that are texts [BND-28]', async () => {
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

  test('What an application gets beside credentials are texts where the specification has texts, also of parameters that are numbers, true or false [BND-28]', async () => {
    const on = await instance('numbers/all', { body: { parameters: { any: { drain: 514 } } } });
    const { told, path } = await binding(on);
    expect(told).toEqual({
      credentials: { port: 6379, open: true },
      syslog_drain_url: '514',
      route_service_url: 'https://5.routes.example.com',
      endpoints: [{ host: '5', ports: ['6379', '5-6379'] }],
      volume_mounts: [
        {
          driver: 'true',
          container_dir: '5',
          mode: 'rw',
          device_type: 'shared',
          device: { volume_id: '5', mount_config: { port: 6379 } },
        },
      ],
    });
    expect((await ask('get', path)).body).toEqual({ ...told, parameters: {} });
    expect((await ask('get', on.path)).body).toMatchObject({
      dashboard_url: '5',
      metadata: {
        labels: { size: '5', open: 'true', named: 'size-5' },
        attributes: { size: 5, open: true },
      },
    });
  });

  test.each([[['list']], [{ an: 'object' }], [null]])(
    'Texts beside credentials are not made of %j: the bind fails, says who can help, and leaves nothing [BND-28]',
    async (drain) => {
      const on = await instance('numbers/all', { body: { parameters: { any: { drain } } } });
      const id = randomUUID();
      const { status, body } = await bind(on, { id });
      expect({ status, body: body as unknown }).toEqual({
        status: 500,
        body: {
          error: 'OperationFailed',
          description: expect.stringContaining('Ask the operator of the broker.') as string,
        },
      });
      expect((await ask('get', bindingPath(on, id))).status).toBe(404);
    },
  );

  test('What an application gets beside credentials is metadata that says when the binding ends and when to renew it before that [BND-28]', async () => {
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
