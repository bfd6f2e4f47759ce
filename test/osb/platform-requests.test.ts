import { randomUUID } from 'node:crypto';
import { idsOf, instancePlatform, pathOf } from '../support/instance-platform.ts';
import {
  cloudController,
  eden,
  korifi,
  serviceCatalog,
  serviceManager,
  tsuru,
} from '../support/platform-requests.ts';
import { platformCalls, quick, sized, brief } from './platform-calls.ts';
import type { Asked } from '../support/whole-broker.ts';

/** What real platforms send. */

const platform = instancePlatform({ SYNC_PATIENCE: '3s' }, { brokers: 2 });
const { ask, ended, fetch, made } = platform;
const { put, patch, remove, poll, bind, provisioned } = platformCalls(platform);

/** For clients as old as the first brokers. */
const lenient = instancePlatform({ ACCEPT_MISSING_VERSION: 'true' });

const withBody = (asked: Asked, more: object): Asked => ({
  ...asked,
  body: { ...(asked.body as object), ...more },
});

const withHeaders = (asked: Asked, headers: Asked['headers']): Asked => ({
  ...asked,
  headers: { ...asked.headers, ...headers },
});

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
