import { randomUUID } from 'node:crypto';
import { idsOf, instancePlatform, pathOf, type Ids } from '../support/instance-platform.ts';
import {
  cloudController,
  eden,
  serviceCatalog,
  serviceManager,
  tsuru,
} from '../support/platform-requests.ts';
import { platformCalls, quick, sized, brief, endless } from './platform-calls.ts';
import type { Asked } from '../support/whole-broker.ts';

/** What real platforms make of the answers. */

const platform = instancePlatform({ SYNC_PATIENCE: '3s' }, { brokers: 2 });
const { ask, ended, fetch, thingsOf } = platform;
const { put, patch, remove, poll, bind, unbind, provisioned } = platformCalls(platform);

describe('Answers', () => {
  test('20. Every answer is a JSON object with its type, errors too; there is no 204, and no 404 for a DELETE [PLT-20, CTP-01, CTP-02, CTP-03, ERR-04]', async () => {
    const id = await provisioned(cloudController.provision(quick));
    const nobody: Asked = { login: undefined };
    const requests: readonly (readonly [number, ...Parameters<typeof ask>])[] = [
      [401, 'get', '/v2/catalog', nobody],
      [401, 'delete', pathOf(id), nobody],
      [412, 'get', '/v2/catalog', { headers: { 'x-broker-api-version': '1.0' } }],
      [404, 'get', '/v2/nothing'],
      [405, 'delete', '/v2/catalog'],
      [400, 'put', pathOf(id), { body: '{broken' }],
      [404, 'get', pathOf(randomUUID())],
      [409, 'put', pathOf(id), cloudController.provision(brief)],
      [200, 'patch', pathOf(id), cloudController.update(quick)],
      [404, 'patch', pathOf(randomUUID()), cloudController.update(quick)],
      [200, 'delete', pathOf(id), cloudController.remove(quick)],
      [410, 'delete', pathOf(id), cloudController.remove(quick)],
    ];
    // The platform of these tests lets no answer pass that is no JSON object.
    for (const [status, ...asked] of requests) expect((await ask(...asked)).status).toBe(status);
  });

  test('21. What there is not is left out [PLT-21, CCN-01]', async () => {
    const ids = idsOf('bare/only');
    const id = randomUUID();
    const atOnce = (asked: Asked) => ({ ...asked, query: {} });
    expect((await put(id, atOnce(cloudController.provision(ids)))).body).toEqual({});
    expect((await fetch(id)).body).toEqual({ ...ids, parameters: {} });
    expect((await patch(id, cloudController.update(ids))).body).toEqual({});
    const bound = await bind(id, 'b', cloudController.bindOldKey(ids));
    expect(Object.keys(bound.body)).toEqual(['credentials']);
    expect((await unbind(id, 'b', cloudController.removeOldKey(ids))).body).toEqual({});
    expect((await remove(id, cloudController.removeOldKey(ids))).body).toEqual({});
  });

  test('22. The specification’s own errors have its own texts, by which clients know them [PLT-22]', async () => {
    const patient = idsOf('moments/async-only');
    expect(await put(randomUUID(), { ...eden.provision(patient), query: {} })).toMatchObject({
      status: 422,
      body: {
        error: 'AsyncRequired',
        description: 'This service plan requires client support for asynchronous service operations.',
      },
    });
    const required = idsOf('trial-features/app-required');
    const id = await provisioned(serviceCatalog.provision(required));
    expect(await bind(id, 'b', cloudController.bindOldKey(required))).toMatchObject({
      status: 422,
      body: {
        error: 'RequiresApp',
        description: 'This service supports generation of credentials through binding an application only.',
      },
    });
    const busy = randomUUID();
    await put(busy, serviceCatalog.provision(endless));
    expect(await patch(busy, serviceCatalog.update(endless, { parameters: { size: 2 } }))).toMatchObject({
      status: 422,
      body: {
        error: 'ConcurrencyError',
        description: 'The Service Broker does not support concurrent requests that mutate the same resource.',
      },
    });
    await remove(busy, serviceCatalog.remove(endless));
  });

  test.each<[what: string, more: object]>([
    ['an unknown service', { service_id: randomUUID() }],
    ['an unknown plan', { plan_id: randomUUID() }],
    ['parameters that are not allowed', { parameters: { size: 99 } }],
    ['unknown parameters', { parameters: { colour: 'red' } }],
    ['parameters that are no object', { parameters: [] }],
    ['an empty plan', { plan_id: '' }],
    ['no organization', { organization_guid: undefined }],
  ])(
    '23. What is wrong with a request is told with 400, by which no clean-up is started: %s [PLT-23, CCN-02]',
    async (_what, more) => {
      const { status, body } = await put(randomUUID(), cloudController.provision(sized, more));
      expect({ status, body }).toEqual({
        status: 400,
        body: { error: expect.any(String), description: expect.stringMatching(/.{10,500}/) },
      });
    },
  );

  test('24. Only a create that has begun can end with a 5xx, and the DELETE that follows finds nothing or removes it [PLT-24, ERR-08]', async () => {
    const failing = idsOf('trial-failing/provision-made');
    const id = randomUUID();
    expect(await put(id, { ...cloudController.provision(failing), query: {} })).toMatchObject({
      status: 500,
      body: { description: 'The trial was made and could not be started.' },
    });
    expect([200, 202, 410]).toContain((await remove(id, cloudController.remove(failing))).status);
    await ended(id);
    expect(await thingsOf(id)).toEqual([]);
    const odd = ['', '[]', 'null', '"text"', '{"service_id":', '{"a":'.repeat(5000), '\u0000', '1e999'];
    for (const body of odd) {
      const { status } = await put(randomUUID(), { ...cloudController.provision(quick), body });
      expect({ body: body.slice(0, 20), status }).toEqual({ body: body.slice(0, 20), status: 400 });
    }
  });

  test.each([
    'echo/large',
    'invert/small',
    'trial-timing/quick',
    'trial-features/plain',
    'moments/failing-removal',
  ])('25. Credentials are flat texts with plain names: %s [PLT-25]', async (plan) => {
    const ids = idsOf(plan);
    const id = await provisioned(tsuru.provision(ids));
    const { credentials = {} } = (await bind(id, 'b', tsuru.bind(ids, 'a'))).body;
    expect(Object.keys(credentials).length).toBeGreaterThan(0);
    for (const [name, value] of Object.entries(credentials)) {
      expect(name).toMatch(/^[-._a-zA-Z0-9]+$/);
      expect(typeof value).toBe('string');
    }
  });

  test('26. The name of an operation is short and plain, so it survives unescaped, and ids of the catalog are too [PLT-26, LOP-14]', async () => {
    const id = randomUUID();
    const { operation = '' } = (await put(id, eden.provision(endless))).body;
    expect(operation).toMatch(/^[A-Za-z0-9._~-]{1,63}$/);
    expect((await put(id, eden.provision(endless))).body.operation).toBe(operation);
    const unescaped = `?service_id=${endless.service_id}&plan_id=${endless.plan_id}&operation=${operation}`;
    const path = `${pathOf(id)}/last_operation${unescaped}`;
    expect(await platform.brokers()[0]?.ask('get', path, { headers: eden.headers })).toMatchObject({
      status: 200,
      body: { state: 'in progress' },
    });
    expect((await remove(id, eden.remove(endless))).body.operation ?? '').toMatch(/^[A-Za-z0-9._~-]{0,63}$/);
    for (const one of await catalogIds()) expect(one).toMatch(/^[A-Za-z0-9._~-]{1,63}$/);
  });

  async function catalogIds(): Promise<readonly string[]> {
    const { services } = (await ask('get', '/v2/catalog', { headers: serviceManager.headers() }))
      .body as unknown as Catalog;
    return services.flatMap(({ id, plans }) => [id, ...plans.map((plan) => plan.id)]);
  }

  test.concurrent(
    '27. A bind that takes time can be fetched when it is done, and is made within the request for those who cannot wait [PLT-27, BND-01, FEB-01]',
    async () => {
      const id = await provisioned(cloudController.provision(brief));
      expect(await bind(id, 'slow', cloudController.bindKey(brief))).toMatchObject({ status: 202 });
      await ended(`${id}/service_bindings/slow`, cloudController.poll(brief).query);
      const fetched = await ask('get', pathOf(id, 'slow'), cloudController.fetch());
      expect(fetched).toMatchObject({ status: 200, body: { credentials: expect.any(Object) } });

      const synchronous = [
        cloudController.bindOldKey(brief),
        eden.bind(brief),
        tsuru.bind(brief, 'a'),
        serviceCatalog.bind(brief),
      ];
      const bound = await Promise.all(synchronous.map((asked, index) => bind(id, `b${index}`, asked)));
      for (const answer of bound)
        expect(answer).toMatchObject({ status: 201, body: { credentials: expect.any(Object) } });
      const removals = [
        cloudController.removeOldKey(brief),
        eden.unbind(brief),
        tsuru.unbind(brief),
        serviceCatalog.unbind(brief),
      ];
      const unbound = await Promise.all(removals.map((asked, index) => unbind(id, `b${index}`, asked)));
      for (const answer of unbound) expect(answer).toMatchObject({ status: 200, body: {} });
    },
  );

  test('28. The catalog says what platforms would guess wrongly, in words that they all know [PLT-28, CAT-25]', async () => {
    const { services } = (await ask('get', '/v2/catalog', cloudController.catalog()))
      .body as unknown as Catalog;
    const flags = { bindable: expect.any(Boolean), plan_updateable: expect.any(Boolean) };
    for (const service of services) {
      expect(service).toMatchObject(flags);
      expect(['string', 'undefined']).toContain(typeof service.metadata?.['documentationUrl']);
      const client = service.dashboard_client;
      if (client) expect(Object.keys(client).toSorted()).toEqual(['id', 'redirect_uri', 'secret']);
      for (const plan of service.plans) {
        expect(plan).toMatchObject({ ...flags, free: expect.any(Boolean) });
        expect(['description', 'version']).toEqual(
          expect.arrayContaining(Object.keys(plan.maintenance_info ?? {})),
        );
        // The trial shows newer drafts on purpose, in plans that are named after them.
        if (!plan.name.startsWith('draft-'))
          expect(draftsOf(plan.schemas)).toEqual(draftsOf(plan.schemas).map(() => draft04));
      }
    }
  });

  const draft04 = 'http://json-schema.org/draft-04/schema#';
  const draftsOf = (schemas: object = {}) =>
    [...JSON.stringify(schemas).matchAll(/"\$schema":"([^"]+)"/g)].map(([, draft]) => draft);

  test.concurrent(
    '29. Who accepts incomplete work is answered at once, others before any of them gives up [PLT-29, GLB-03]',
    async () => {
      const id = randomUUID();
      const started = performance.now();
      expect(await put(id, serviceManager.provision(endless))).toMatchObject({ status: 202 });
      expect(performance.now() - started).toBeLessThan(20_000);
      await remove(id, serviceManager.remove(endless));

      const waiting = performance.now();
      const { status } = await put(randomUUID(), { ...serviceManager.provision(endless), query: {} });
      expect(status).toBe(500);
      expect(performance.now() - waiting).toBeLessThan(50_000);
    },
  );

  test('30. tsuru, which keeps only texts and never polls by itself, has its whole way within requests [PLT-30]', async () => {
    const ids: Ids = idsOf('echo/large');
    const id = await provisioned(tsuru.provision(ids));
    expect(await poll(id, tsuru.poll(ids))).toMatchObject({ status: 200, body: { state: 'succeeded' } });
    const first = await bind(id, 'b', tsuru.bind(ids, 'a'));
    expect(first).toMatchObject({
      status: 201,
      body: { credentials: { uri: expect.stringMatching(/^https:/) } },
    });
    expect(await bind(id, 'b', tsuru.bind(ids, 'a'))).toMatchObject({ status: 200, body: first.body });
    expect(await patch(id, tsuru.update(ids))).toMatchObject({ status: 200 });
    expect(await unbind(id, 'b', tsuru.unbind(ids))).toMatchObject({ status: 200 });
    expect(await remove(id, tsuru.remove(ids))).toMatchObject({ status: 200 });
    expect(await poll(id, tsuru.poll(ids))).toMatchObject({ status: 410 });
  });
});

interface Catalog {
  readonly services: readonly {
    readonly id: string;
    readonly metadata?: Readonly<Record<string, unknown>>;
    readonly dashboard_client?: object;
    readonly plans: readonly {
      readonly id: string;
      readonly name: string;
      readonly maintenance_info?: object;
      readonly schemas?: object;
    }[];
  }[];
}
