import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { idsOf, instancePlatform, pathOf, type Answer, type Ids } from '../support/instance-platform.ts';
import {
  cloudController,
  eden,
  korifi,
  serviceCatalog,
  serviceManager,
  tsuru,
} from '../support/platform-requests.ts';
import type { Asked } from '../support/whole-broker.ts';

/** What real platforms send, and what they make of the answers. The order is: requests, sequences, answers. */

const platform = instancePlatform({ SYNC_PATIENCE: '3s' }, { brokers: 2 });
const { ask, ended, fetch, lastOperation, made, tracesOf, thingsOf, startAnother } = platform;
/** For clients as old as the first brokers. */
const lenient = instancePlatform({ ACCEPT_MISSING_VERSION: 'true' });

/** Done within the request, however little patience there is. */
const quick = idsOf('echo/large');
const sized = idsOf('trial-timing/quick');
const brief = idsOf('moments/brief');
const endless = idsOf('moments/endless');

const put = (id: string, asked: Asked) => ask('put', pathOf(id), asked);
const patch = (id: string, asked: Asked) => ask('patch', pathOf(id), asked);
const remove = (id: string, asked: Asked) => ask('delete', pathOf(id), asked);
const poll = (id: string, asked: Asked) => ask('get', `${pathOf(id)}/last_operation`, asked);
const bind = (id: string, binding: string, asked: Asked) => ask('put', pathOf(id, binding), asked);
const unbind = (id: string, binding: string, asked: Asked) => ask('delete', pathOf(id, binding), asked);
const withBody = (asked: Asked, more: object): Asked => ({
  ...asked,
  body: { ...(asked.body as object), ...more },
});
const withHeaders = (asked: Asked, headers: Asked['headers']): Asked => ({
  ...asked,
  headers: { ...asked.headers, ...headers },
});

/** A new id, provisioned as this platform does it. */
async function provisioned(asked: Asked): Promise<string> {
  const id = randomUUID();
  const { status, body } = await put(id, asked);
  expect({ status, body }).toMatchObject({ status: expect.any(Number), body: {} });
  expect([201, 202]).toContain(status);
  if (status === 202) expect((await ended(id)).body.state).toBe('succeeded');
  return id;
}

describe('Requests', () => {
  test('1. What a platform has nothing to say about is absent, null or empty, and contexts are of any kind [PLT-01]', async () => {
    for (const parameters of [undefined, null, {}]) {
      await provisioned(withBody(korifi.provision(quick), { parameters }));
      await provisioned(withBody(cloudController.provision(quick), { parameters }));
    }
    for (const { provision } of [korifi, tsuru, serviceManager, serviceCatalog, eden])
      await provisioned(provision(quick));
    await provisioned(
      withBody(tsuru.provision(quick), { context: { platform: 'mainframe', partition: { id: 7 } } }),
    );

    const id = await provisioned(cloudController.provision(quick));
    const resources = [undefined, {}, { space_guid: 's', app_annotations: {}, credential_client_id: 'c' }];
    for (const [index, bind_resource] of resources.entries()) {
      const asked = withBody(cloudController.bindOldKey(quick), { bind_resource });
      expect(await bind(id, `b${index}`, asked)).toMatchObject({ status: 201 });
    }
  });

  test('2. The app is named at the top, in the resource, in both, or is empty, which means none [PLT-02, BND-15.app]', async () => {
    const id = await provisioned(korifi.provision(quick));
    const bodies = [
      { app_guid: 'a' },
      { bind_resource: { app_guid: 'a' } },
      { app_guid: '', bind_resource: { app_guid: '' } },
    ];
    for (const [index, body] of bodies.entries()) {
      expect(await bind(id, `b${index}`, { body: { ...quick, ...body } })).toMatchObject({ status: 201 });
    }
    expect(await bind(id, 'both', cloudController.bindApp(quick, 'a'))).toMatchObject({ status: 201 });
    expect(await bind(id, 'key', korifi.bindKey(quick))).toMatchObject({ status: 201 });
    const required = idsOf('trial-features/app-required');
    const another = await provisioned(korifi.provision(required));
    expect(await bind(another, 'key', korifi.bindKey(required))).toMatchObject({
      status: 422,
      body: { error: 'RequiresApp' },
    });
    expect([201, 202]).toContain((await bind(another, 'app', korifi.bindApp(required, 'a'))).status);
  });

  test('3. Organization and space are any text [PLT-03]', async () => {
    for (const { provision, remove: removal } of [serviceManager, eden]) {
      const id = await provisioned(provision(quick));
      expect(await put(id, provision(quick))).toMatchObject({ status: 200 });
      expect(await remove(id, removal(quick))).toMatchObject({ status: 200 });
    }
  });

  test('4. An update names the plan it has, or none, and tells previous values with null in them, some or none [PLT-04, UPD-08]', async () => {
    const id = await provisioned(cloudController.provision(quick));
    const updates = [
      cloudController.update(quick, {}, 'renamed'),
      serviceCatalog.update(quick, {}),
      serviceManager.update(quick),
      tsuru.update(quick),
      { query: { accepts_incomplete: 'true' }, body: { service_id: quick.service_id } },
    ];
    for (const update of updates) expect(await patch(id, update)).toMatchObject({ status: 200 });
    const other = await provisioned(cloudController.provision(sized));
    for (const update of [
      cloudController.update(sized, { parameters: { size: 3 } }),
      serviceCatalog.update(sized, { parameters: { size: 4 } }),
    ]) {
      expect([200, 202]).toContain((await patch(other, update)).status);
      expect((await ended(other)).body.state).toBe('succeeded');
    }
    expect(await fetch(other)).toMatchObject({ body: { ...sized, parameters: { size: 4 } } });
  });

  test('5. Of maintenance_info only the version counts [PLT-05]', async () => {
    const ids = idsOf('trial-features/maintained');
    const told = {
      maintenance_info: { version: '2.1.0', description: 'As it was when the catalog was read' },
    };
    const id = await provisioned(cloudController.provision(ids, told));
    expect(
      await put(id, cloudController.provision(ids, { maintenance_info: { version: '2.1.0' } })),
    ).toMatchObject({ status: 200 });
    const upgrade = { maintenance_info: { version: '2.1.0' } };
    expect(await patch(id, cloudController.update(ids, upgrade))).toMatchObject({ status: 200 });
  });

  test('6. Headers and bodies come where none are needed, and versions are old [PLT-06, HDR-10]', async () => {
    for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
      const id = await provisioned(korifi.provision(quick));
      const body = type === 'application/json' ? { plan_id: 'another' } : 'plan_id=another';
      const asked = withHeaders({ ...korifi.remove(quick), body }, { 'content-type': type });
      expect(await ask('get', pathOf(id), korifi.fetch())).toMatchObject({ status: 200 });
      expect(await remove(id, asked)).toMatchObject({ status: 200 });
    }
    for (const version of ['2.3', '2.8', '2.10', '2.11', '2.12', '2.13', '2.14', '2.15', '2.16', '2.17']) {
      const headers = { ...cloudController.headers(), 'x-broker-api-version': version };
      expect(await ask('get', '/v2/catalog', { headers })).toMatchObject({ status: 200 });
    }
    const shouted = {
      'x-broker-api-version': undefined,
      'X-BROKER-API-VERSION': '2.15',
      'X-VCAP-REQUEST-ID': '',
    };
    expect(await ask('get', '/v2/catalog', { headers: shouted })).toMatchObject({ status: 200 });
    // The broker's address was registered with a slash at its end.
    const slashed = await platform.brokers()[0]?.ask('get', '//v2/catalog', cloudController.catalog());
    expect(slashed).toMatchObject({ status: 200, body: { services: expect.any(Array) } });
  });

  test('6. A client as old as the first brokers sends no version, and may be served [PLT-06]', async () => {
    const old = { 'x-broker-api-version': undefined };
    const id = randomUUID();
    const asked = { ...eden.provision(quick), headers: old };
    expect(await lenient.ask('put', pathOf(id), asked)).toMatchObject({ status: 201 });
    expect(await lenient.ask('delete', pathOf(id), { query: { ...quick }, headers: old })).toMatchObject({
      status: 200,
    });
    expect(await put(id, asked)).toMatchObject({ status: 400 });
  });

  test('7. Fetching and polling work with all hints, none, and old ones [PLT-07, LOP-06, UPD-20]', async () => {
    const id = await provisioned(tsuru.provision(quick));
    await bind(id, 'b', tsuru.bind(quick, 'a'));
    for (const asked of [korifi.fetch(), cloudController.fetch(), serviceManager.fetchParameters(quick)]) {
      expect(await ask('get', pathOf(id), asked)).toMatchObject({ status: 200 });
      expect(await ask('get', pathOf(id, 'b'), asked)).toMatchObject({ status: 200 });
    }
    for (const asked of [tsuru.poll(quick), korifi.poll(quick), eden.poll(quick, 'of-another-time')]) {
      expect(await poll(id, asked)).toMatchObject({ status: 200, body: { state: 'succeeded' } });
    }

    const moving = await made('moments/endless-update');
    const [from, to] = [idsOf('moments/endless-update'), brief];
    const endlessly = idsOf('moments/endless-update');
    const change = cloudController.update(endlessly, { parameters: { size: 2 } });
    const { operation = '' } = (await patch(moving, change)).body;
    for (const ids of [from, to]) {
      const asked = cloudController.poll(ids, operation);
      expect(await poll(moving, asked)).toMatchObject({ status: 200, body: { state: 'in progress' } });
    }
  });

  test('8. What makes a request the same is service, plan, parameters, place and app; never the context [PLT-08]', async () => {
    const id = await provisioned(cloudController.provision(quick));
    const renamed = { context: cloudController.context('renamed') };
    for (const more of [renamed, { context: {} }, { parameters: null }, { parameters: {} }]) {
      expect(await put(id, cloudController.provision(quick, more))).toMatchObject({ status: 200 });
    }
    expect(await put(id, cloudController.provision(quick, { parameters: { size: 2 } }))).toMatchObject({
      status: 409,
    });
    await bind(id, 'b', cloudController.bindApp(quick, 'a'));
    expect(await bind(id, 'b', cloudController.bindApp(quick, 'a', renamed))).toMatchObject({ status: 200 });
    expect(await bind(id, 'b', cloudController.bindApp(quick, 'another'))).toMatchObject({ status: 409 });
  });

  test.each<[what: string, identity: string | undefined]>([
    ['missing', undefined],
    ['empty', ''],
    ['of an unknown platform', `mainframe ${Buffer.from('{"operator":7}').toString('base64')}`],
    ['not JSON', 'cloudfoundry bm90IGpzb24='],
    ['not Base64', 'cloudfoundry {"user_id":"x"}'],
    ['no pair', 'cloudfoundry'],
  ])(
    '9. An originating identity that is %s is no reason to refuse [PLT-09, HDR-08]',
    async (_what, identity) => {
      const headers = { 'x-broker-api-originating-identity': identity };
      const id = await provisioned(withHeaders(cloudController.provision(quick), headers));
      expect(await remove(id, withHeaders(cloudController.remove(quick), headers))).toMatchObject({
        status: 200,
      });
    },
  );
});

describe('Sequences', () => {
  /** Korifi's loop: the same request and one poll, until it is answered with something else than "accepted". */
  async function reconcile(once: () => Promise<Answer>, look: (operation?: string) => Promise<Answer>) {
    const operations = new Set<string | undefined>();
    for (let pause = 5; ; pause = Math.min(pause * 2, 100)) {
      const answer = await once();
      if (answer.status !== 202) return { last: answer, operations: [...operations] };
      operations.add(answer.body.operation);
      expect(await look(answer.body.operation)).toMatchObject({ status: expect.any(Number) });
      await wait(pause);
    }
  }

  test.concurrent(
    '10. The same PUT again and again is accepted as the same, and in the end answered in full [PLT-10, PRV-09, BND-05]',
    async () => {
      const id = randomUUID();
      const look = (operation?: string) => poll(id, korifi.poll(brief, operation));
      const { last, operations } = await reconcile(() => put(id, korifi.provision(brief)), look);
      expect(operations).toEqual([expect.any(String)]);
      expect(last).toMatchObject({ status: 200, body: { dashboard_url: expect.any(String) } });
      expect(await put(id, korifi.provision(quick))).toMatchObject({ status: 409 });

      const lookAtBinding = (operation?: string) =>
        poll(`${id}/service_bindings/b`, korifi.poll(brief, operation));
      const bound = await reconcile(() => bind(id, 'b', korifi.bindKey(brief)), lookAtBinding);
      expect(bound.operations).toEqual([expect.any(String)]);
      expect(bound.last).toMatchObject({ status: 200, body: { credentials: expect.any(Object) } });
      expect(await bind(id, 'b', korifi.bindKey(brief))).toEqual(
        expect.objectContaining({ body: bound.last.body }),
      );
    },
  );

  test.concurrent(
    '11. The same DELETE again and again is accepted as the same, and in the end it is gone [PLT-11, DEP-07, UNB-07]',
    async () => {
      const id = await provisioned(korifi.provision(brief));
      await bind(id, 'b', { ...korifi.bindKey(brief), query: {} });
      const lookAtBinding = (operation?: string) =>
        poll(`${id}/service_bindings/b`, korifi.poll(brief, operation));
      const unbound = await reconcile(() => unbind(id, 'b', korifi.remove(brief)), lookAtBinding);
      expect(unbound).toMatchObject({ operations: [expect.any(String)], last: { status: 410, body: {} } });
      const look = (operation?: string) => poll(id, korifi.poll(brief, operation));
      const gone = await reconcile(() => remove(id, korifi.remove(brief)), look);
      expect(gone).toMatchObject({ operations: [expect.any(String)], last: { status: 410, body: {} } });
    },
  );

  test('12. A DELETE of what was never seen is "gone" [PLT-12, DEP-02, UNB-02]', async () => {
    const unknown = { service_id: randomUUID(), plan_id: randomUUID() };
    const id = await provisioned(cloudController.provision(quick));
    for (const ids of [quick, unknown]) {
      expect(await remove(randomUUID(), cloudController.remove(ids))).toMatchObject({
        status: 410,
        body: {},
      });
      expect(await unbind(randomUUID(), 'b', cloudController.remove(ids))).toMatchObject({
        status: 410,
        body: {},
      });
      expect(await unbind(id, 'never', cloudController.remove(ids))).toMatchObject({ status: 410, body: {} });
    }
  });

  test('12. What was made of a plan that has left the catalog is served on, and can be deleted [PLT-12]', async () => {
    const id = await provisioned(cloudController.provision(sized));
    const later = await startAnother({ CATALOG_DIR: 'catalog', ASYNC_PATIENCE: '10s' });
    const at = async (method: 'put' | 'patch' | 'get' | 'delete', path: string, asked: Asked) =>
      (await later.ask(method, path, asked)).status;
    expect(await at('put', pathOf(randomUUID()), cloudController.provision(sized))).toBe(400);
    expect(await at('put', pathOf(id), cloudController.provision(sized))).toBe(200);
    expect(await at('put', pathOf(id, 'b'), cloudController.bindApp(sized, 'a'))).toBe(201);
    expect(await at('get', pathOf(id, 'b'), cloudController.fetch())).toBe(200);
    const change = cloudController.update(sized, { parameters: { size: 2 } });
    expect(await at('patch', pathOf(id), change)).toBe(200);
    expect(await at('get', pathOf(id), cloudController.fetch())).toBe(200);
    expect(await at('delete', pathOf(id, 'b'), cloudController.remove(sized))).toBe(200);
    expect(await at('delete', pathOf(id), cloudController.remove(sized))).toBe(200);
    expect(await at('delete', pathOf(id), cloudController.remove(sized))).toBe(410);
  });

  test.concurrent(
    '13. A DELETE during a create cancels it, during an update it is told to wait [PLT-13, DEP-08, DEP-09]',
    async () => {
      const id = randomUUID();
      const first = (await put(id, cloudController.provision(endless))).body.operation;
      const { status, body } = await remove(id, cloudController.remove(endless));
      expect([200, 202]).toContain(status);
      expect(body.operation).not.toBe(first);
      expect(await ended(id)).toMatchObject({ status: 410 });

      const waiting = put(id, { ...cloudController.provision(endless), query: {} });
      while ((await lastOperation(id)).body.state !== 'in progress');
      expect([200, 202]).toContain((await remove(id, cloudController.remove(endless))).status);
      expect(await waiting).toMatchObject({ status: 422, body: { error: 'ConcurrencyError' } });
      expect(await ended(id)).toMatchObject({ status: 410 });

      const updating = await made('moments/endless-update');
      const ids = idsOf('moments/endless-update');
      await patch(updating, cloudController.update(ids, { parameters: { size: 2 } }));
      expect(await remove(updating, cloudController.remove(ids))).toMatchObject({
        status: 422,
        body: { error: 'ConcurrencyError' },
      });
    },
  );

  test.concurrent(
    '14. An id is free again after its DELETE, also when its create had failed [PLT-14, PRV-24, ORP-01]',
    async () => {
      const id = randomUUID();
      const failing = idsOf('moments/failing');
      for (let times = 0; times < 2; times += 1) {
        expect(await put(id, serviceCatalog.provision(failing))).toMatchObject({ status: 202 });
        expect((await ended(id, serviceCatalog.poll(failing).query)).body.state).toBe('failed');
        expect([200, 202]).toContain((await remove(id, serviceCatalog.remove(failing))).status);
        await ended(id);
      }
      expect(await put(id, serviceCatalog.provision(quick))).toMatchObject({ status: 201 });
      expect(await bind(id, 'b', serviceCatalog.bind(quick))).toMatchObject({ status: 201 });
      expect(await unbind(id, 'b', serviceCatalog.unbind(quick))).toMatchObject({ status: 200 });
      expect(await unbind(id, 'b', serviceCatalog.unbind(quick))).toMatchObject({ status: 410, body: {} });
      expect(await remove(id, serviceCatalog.remove(quick))).toMatchObject({ status: 200 });
    },
  );

  test.concurrent(
    '15. A create that failed goes on being failed, is never told as a success, and can be deleted [PLT-15, ORP-01]',
    async () => {
      const id = randomUUID();
      const failing = idsOf('moments/failing');
      for (let times = 0; times < 2; times += 1) {
        expect(await put(id, korifi.provision(failing))).toMatchObject({ status: 202 });
        await ended(id);
        const later = await poll(id, korifi.poll(failing));
        expect(later).toMatchObject({
          status: 200,
          body: { state: 'failed', description: 'It was not to be.' },
        });
      }
      expect([200, 202]).toContain((await remove(id, cloudController.remove(failing))).status);
    },
  );

  test.concurrent(
    '16. An operation is told long after its end, by brokers that were not there, and gone after the DELETE [PLT-16, LOP-04, LOP-10]',
    async () => {
      const id = randomUUID();
      const { operation = '' } = (await put(id, cloudController.provision(brief))).body;
      await ended(id, { operation });
      const restarted = await startAnother();
      const path = `${pathOf(id)}/last_operation`;
      const later = await restarted.ask('get', path, cloudController.poll(brief, operation));
      expect(later).toMatchObject({ status: 200, body: { state: 'succeeded' } });
      const removal = (await remove(id, serviceManager.remove(brief))).body.operation;
      await ended(id);
      const named = eden.poll(brief, removal ?? '');
      expect(await poll(id, named)).toMatchObject({ status: 200, body: { state: 'succeeded' } });
      expect(await restarted.ask('get', path, named)).toMatchObject({ status: 200 });
      for (const asked of [
        cloudController.poll(brief),
        serviceManager.poll(brief, operation),
        tsuru.poll(brief),
      ]) {
        expect(await poll(id, asked)).toMatchObject({ status: 410, body: {} });
        expect(await restarted.ask('get', path, asked)).toMatchObject({ status: 410 });
      }
    },
  );

  test('17. Many apps are bound at once, and a space with many instances is emptied by several workers [PLT-17, CON-07]', async () => {
    const ids = await Promise.all(
      Array.from({ length: 5 }, () => provisioned(cloudController.provision(quick))),
    );
    const apps = ['a', 'b', 'c', 'd'];
    const all = ids.flatMap((id) => apps.map((app) => [id, app] as const));
    const bound = await Promise.all(
      all.map(([id, app]) => bind(id, app, cloudController.bindApp(quick, app))),
    );
    expect(new Set(bound.map(({ status }) => status))).toEqual(new Set([201]));
    await Promise.all(
      ids.map(async (id) => {
        for (const app of apps) {
          expect(await unbind(id, app, cloudController.remove(quick))).toMatchObject({ status: 200 });
        }
        expect(await remove(id, cloudController.remove(quick))).toMatchObject({ status: 200 });
      }),
    );
  });

  test.concurrent(
    '18. A create that a platform has given up is cleaned up completely by its DELETE [PLT-18, ORP-03]',
    async () => {
      const id = randomUUID();
      const abandoned = put(id, { ...cloudController.provision(brief), query: {} });
      while ((await lastOperation(id)).body.state !== 'in progress');
      expect([200, 202]).toContain((await remove(id, cloudController.remove(brief))).status);
      await ended(id);
      await abandoned;
      expect(await thingsOf(id)).toEqual([]);
      expect((await tracesOf(id)).filter((line) => !line.startsWith('operations '))).toEqual([]);
      expect(await remove(id, cloudController.remove(brief))).toMatchObject({ status: 410 });
    },
  );

  test('19. Hundreds of polls at once are answered [PLT-19, GLB-03]', async () => {
    const id = randomUUID();
    const { operation = '' } = (await put(id, korifi.provision(endless))).body;
    const started = performance.now();
    const polls = await Promise.all(
      Array.from({ length: 300 }, () => poll(id, korifi.poll(endless, operation))),
    );
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(new Set(polls.map(({ status, body }) => `${status} ${body.state}`))).toEqual(
      new Set(['200 in progress']),
    );
    await remove(id, korifi.remove(endless));
  });
});

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
      expect(performance.now() - started).toBeLessThan(3000);
      await remove(id, serviceManager.remove(endless));

      const waiting = performance.now();
      const { status } = await put(randomUUID(), { ...serviceManager.provision(endless), query: {} });
      expect(status).toBe(500);
      expect(performance.now() - waiting).toBeLessThan(10_000);
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
