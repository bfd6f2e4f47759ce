import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashPassword } from '../../src/program/principals/password-hash.ts';
import { startBrokerProcess, type BrokerProcess } from '../faults/broker-process.ts';
import { createAuthority, describeTls, type Authority } from '../support/certificates.ts';
import { openCredhub, type Credhub } from '../support/credhub.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { operatorPassword, startWholeBroker, type Asked, type WholeBroker } from '../support/whole-broker.ts';

/** Cloud Foundry gets references to credentials in CredHub; whatever happens, never the credentials in their place. */

const offering = '5f0e3f55-7a51-4a4e-9f0b-00000000c0c0';
const ids = { service_id: offering, plan_id: `${offering.slice(0, -1)}1` };
const scratch = scratchDirectory('credhub-broker');
const [secretFile, principalsFile] = [join(scratch, 'secret'), join(scratch, 'principals.json')];
const catalogDir = join(scratch, 'catalog');
const cloudFoundry = { context: { platform: 'cloudfoundry' }, organization_guid: 'o', space_guid: 's' };
const app = (guid: string) => ({ app_guid: guid, bind_resource: { app_guid: guid } });
const pathOf = (id: string, binding?: string) =>
  `/v2/service_instances/${id}${binding === undefined ? '' : `/service_bindings/${binding}`}`;

describeTls('Credentials in CredHub', () => {
  let authority: Authority;
  let database: TestDatabase;
  let hub: Credhub;
  let broker: WholeBroker;
  let stopAll: readonly (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    authority = createAuthority();
    database = await openTestDatabase();
    mkdirSync(catalogDir);
    writeFileSync(join(catalogDir, 'echo.json'), JSON.stringify(echo));
    writeFileSync(secretFile, 'right');
    const passwords = [await hashPassword('of-acme')];
    writeFileSync(principalsFile, JSON.stringify({ platforms: [{ name: 'acme', passwords }] }), {
      mode: 0o600,
    });
  });
  beforeEach(async () => {
    hub = await openCredhub(authority, 'purveyor:right');
    stopAll = [() => hub.close()];
  });
  afterEach(async () => {
    for (const stop of stopAll) await stop();
  });
  afterAll(() => database.close());

  function environment(): Readonly<Record<string, string>> {
    return {
      CREDHUB_URL: hub.url,
      CREDHUB_CA: authority.certFile,
      CREDHUB_CLIENT: 'purveyor',
      CREDHUB_SECRET_FILE: secretFile,
      CATALOG_DIR: catalogDir,
      PRINCIPALS_FILE: principalsFile,
      SYNC_PATIENCE: '2s',
      ENCRYPTION_KEYS: `1:${Buffer.alloc(32, 7).toString('base64')}`,
    };
  }

  async function start(): Promise<void> {
    broker = await startWholeBroker(database, environment());
    stopAll = [broker.stop, ...stopAll];
  }

  const provision = (id: string, sent: Asked = {}) =>
    broker.ask('put', pathOf(id), { ...sent, body: { ...ids, ...cloudFoundry } });
  const bind = (id: string, binding: string, body: object, sent: Asked = {}) =>
    broker.ask('put', pathOf(id, binding), { ...sent, body: { ...ids, ...cloudFoundry, ...body } });
  const unbind = (id: string, binding: string) => broker.ask('delete', pathOf(id, binding), { query: ids });

  test('An app of Cloud Foundry gets a reference by bind, repetition and fetch, which it alone reads until the unbind', async () => {
    await start();
    await provision('i1');
    const bound = await bind('i1', 'b1', app('a1'));
    const { 'credhub-ref': ref, ...others } = bound.body.credentials as Record<string, string>;
    expect([bound.status, ref, others]).toEqual([
      201,
      expect.stringMatching(/^\/c\/purveyor\/kept-echo\/b1\/p\w{20}$/),
      {},
    ]);
    expect(hub.values.get(ref ?? '')).toEqual({
      token: expect.any(String),
      uri: expect.stringContaining('b1'),
    });
    expect(hub.permissions()).toMatchObject([{ path: ref, actor: 'mtls-app:a1', operations: ['read'] }]);
    const again = await bind('i1', 'b1', app('a1'));
    const fetched = await broker.ask('get', pathOf('i1', 'b1'));
    expect([again.status, fetched.status]).toEqual([200, 200]);
    for (const { body } of [again, fetched]) expect(body.credentials).toEqual({ 'credhub-ref': ref });
    expect((await unbind('i1', 'b1')).status).toBe(200);
    expect([[...hub.values], hub.permissions()]).toEqual([[], []]);
  });

  test('Service keys are read by the client that Cloud Controller names; a rotated binding has the reader of the one before', async () => {
    await start();
    await provision('i2');
    const key = await bind('i2', 'k1', { bind_resource: { credential_client_id: 'cc_keys' } });
    expect(key.body.credentials).toEqual({ 'credhub-ref': expect.any(String) });
    await broker.ask('put', pathOf('i2', 'k2'), { body: { predecessor_binding_id: 'k1' } });
    const readers = hub.permissions().map(({ actor }) => actor);
    expect(readers).toEqual(['uaa-client:cc_keys', 'uaa-client:cc_keys']);
    for (const id of ['k1', 'k2']) await unbind('i2', id);
    expect([...hub.values]).toEqual([]);
  });

  test('Who cannot read CredHub gets credentials: other kinds of platforms, those with a name, and who names no reader', async () => {
    await start();
    await provision('i3');
    const login = 'acme:of-acme';
    await provision('i3', { login });
    const answers = [
      await bind('i3', 'b1', { ...app('a1'), context: { platform: 'kubernetes' } }),
      await bind('i3', 'b2', {}),
      await bind('i3', 'b3', app('a1'), { login }),
    ];
    for (const { status, body } of answers) {
      expect(status).toBe(201);
      expect(Object.keys(body.credentials).toSorted()).toEqual(['token', 'uri']);
    }
    expect(hub.asked).not.toContain('PUT /api/v1/data');
  });

  test('While CredHub is away a bind waits for it, and who gives up has nothing, neither here nor there', async () => {
    await start();
    await provision('i4');
    hub.fate = (asked) => (asked.includes('/data') ? 'away' : 'well');
    const failed = await bind('i4', 'b1', app('a1'));
    expect([failed.status, failed.body.credentials]).toEqual([500, undefined]);
    const waiting = await bind('i4', 'b2', app('a1'), { query: { accepts_incomplete: 'true' } });
    expect(waiting).toMatchObject({ status: 202, body: { operation: expect.any(String) } });
    hub.fate = () => 'well';
    await until('it is bound', async () => (await broker.ask('get', pathOf('i4', 'b2'))).status === 200);
    await until('the other one is undone', async () => (await unbind('i4', 'b1')).status !== 422);
    expect([...hub.values.keys()]).toEqual([expect.stringContaining('/b2/')]);
    await unbind('i4', 'b2');
    expect([[...hub.values], hub.permissions()]).toEqual([[], []]);
  });

  test('What CredHub refuses fails the bind with a sentence for users and the reason for operators', async () => {
    await start();
    await provision('i5');
    hub.fate = (asked) => (asked === 'PUT /api/v1/data' ? 403 : 'well');
    const { status, body } = await bind('i5', 'b1', app('a1'));
    expect([status, body.credentials, body.description]).toEqual([
      500,
      undefined,
      'The credentials could not be kept where the platform reads them. Ask the operator of the broker.',
    ]);
    const operations = await broker.ask('get', '/operator/operations', {
      login: `operator:${operatorPassword}`,
      query: { instance: 'i5', state: 'failed' },
    });
    expect(operations.body.operations[0].failure.detail).toContain('status 403: It is not to be.');
    hub.fate = () => 'well';
    expect((await bind('i5', 'b1', app('a1'))).status).toBe(201);
    await unbind('i5', 'b1');
  });

  test('An instance that goes takes credentials along of bindings that its platform has left', async () => {
    await start();
    await provision('i6');
    await bind('i6', 'b1', app('a1'));
    await bind('i6', 'b2', app('a2'));
    expect(hub.values.size).toBe(2);
    expect((await broker.ask('delete', pathOf('i6'), { query: ids })).status).toBe(200);
    expect([[...hub.values], hub.permissions()]).toEqual([[], []]);
  });

  test('Credentials of an instance that was purged are orphans', async () => {
    await start();
    await provision('i7');
    const { body } = await bind('i7', 'b1', app('a1'));
    const login = `operator:${operatorPassword}`;
    const purged = await broker.ask('post', '/operator/instances/i7/actions/purge', {
      login,
      query: { confirm: 'i7' },
    });
    expect(purged.status).toBe(200);
    // A look is taken at the start, and then every minute.
    await start();
    await until(
      'they are seen',
      async () => {
        const { orphans } = (await broker.ask('get', '/operator/orphans', { login })).body;
        const names = (orphans as readonly { provisioner: string; name: string }[]).map((one) => [
          one.provisioner,
          one.name,
        ]);
        return JSON.stringify(names).includes(
          JSON.stringify(['credhub', `credentials ${body.credentials['credhub-ref']}`]),
        );
      },
      120_000,
    );
  });

  async function startProcess(): Promise<BrokerProcess> {
    const shared = { database, dataDir: scratch, catalogDir };
    const started = await startBrokerProcess('credhub', shared, { ...environment(), LEASE: '4s' });
    stopAll = [
      async () => {
        started.signal('SIGKILL');
        await started.ended;
      },
      ...stopAll,
    ];
    return started;
  }

  /** Kills the broker when CredHub has done what was asked, and gives another one that goes on. */
  async function killedAfter(
    first: BrokerProcess,
    asked: string,
    begin: () => Promise<unknown>,
  ): Promise<BrokerProcess> {
    let isDone = false;
    hub.fate = (one) => {
      if (one !== asked) return 'well';
      isDone = true;
      return 'unheard';
    };
    void begin().catch(() => undefined);
    await until('CredHub has done it', () => isDone);
    first.signal('SIGKILL');
    await first.ended;
    hub.fate = () => 'well';
    return startProcess();
  }

  test('A broker that is killed before it has recorded what CredHub has done is followed by one that goes on: no reference is lost, and none is left', async () => {
    const first = await startProcess();
    const body = { ...ids, ...cloudFoundry };
    expect((await first.ask('PUT', pathOf('i8'), body)).status).toBe(201);
    const binding = pathOf('i8', 'b1');
    const second = await killedAfter(first, 'PUT /api/v1/data', () =>
      first.ask('PUT', `${binding}?accepts_incomplete=true`, { ...body, ...app('a1') }),
    );
    const [ref = ''] = hub.values.keys();
    const bound = await until('it is bound', async () => {
      const answer = await second.ask('GET', binding);
      return answer.status === 200 && answer;
    });
    expect(bound.body['credentials']).toEqual({ 'credhub-ref': ref });
    expect([[...hub.versions], hub.permissions().length]).toEqual([[[ref, 2]], 1]);
    const query = new URLSearchParams({ ...ids, accepts_incomplete: 'true' }).toString();
    const third = await killedAfter(second, 'DELETE /api/v1/data', () =>
      second.ask('DELETE', `${binding}?${query}`),
    );
    await until('it is gone', async () => (await third.ask('GET', binding)).status === 404);
    expect([[...hub.values], hub.permissions()]).toEqual([[], []]);
  });
});

const echo = {
  id: offering,
  name: 'kept-echo',
  description: 'What says what it is told',
  instances_retrievable: true,
  bindings_retrievable: true,
  provisioner: 'echo',
  plans: [{ id: ids.plan_id, name: 'one', description: 'One', binding_rotatable: true, with: { keep: 10 } }],
  secrets: { token: { per: 'binding' }, dashboard_token: { per: 'instance' } },
  config: { answer: 'echo' },
  credentials: { uri: '{{broker.url}}/{{binding.id}}', token: '{{secrets.token}}' },
};
