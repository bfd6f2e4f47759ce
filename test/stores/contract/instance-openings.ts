import type { Store } from '../../../src/broker/store.ts';
import { anInstance } from '../../broker/fixtures.ts';
import type { MakeStore } from './remembered.ts';
import {
  aBindingIn,
  anInstanceIn,
  begun,
  ended,
  heldFromBirth,
  long,
  numbered,
  open,
  provisioning,
  readInstance,
} from './steps.ts';

export function describeInstanceOpenings(makeStore: MakeStore): void {
  let store: Store;
  beforeEach(async () => {
    store = await makeStore();
  });

  test('No instance is found where none was opened.', async () => {
    expect(await store.findInstance('i1')).toBeUndefined();
    expect(await store.findBinding('i1', 'b1')).toEqual({});
  });

  test('A provision writes the instance and its operation.', async () => {
    const operation = heldFromBirth('provision', {
      note: 'begun',
      origin: { protocol: 'osb', requestId: 'r1' },
    });
    await open(store, provisioning({}, operation));
    const found = await store.findInstance('i1');
    expect(found).toEqual({
      instance: {
        ...anInstance({ ready: false }),
        version: 1,
        createdAt: expect.any(Date),
        updatedAt: expect.any(Date),
      },
      operation: { ...operation, createdAt: expect.any(Date), deadline: expect.any(Date) },
      bindingsBusy: false,
    });
  });

  test('Every member of an instance comes back as it was put, whatever users have sent.', async () => {
    const wild = JSON.parse(
      '{"__proto__": {"a": 1}, "nul": "\\u0000", "half": "\\ud800", "wide": "añb👍🏽", "big": 1e300, "deep": [[{}]]}',
    );
    const {
      id: _id,
      version: _version,
      createdAt: _created,
      updatedAt: _updated,
      ...content
    } = anInstance({
      context: wild,
      maintenanceVersion: '1.2.3',
      formerPlans: ['tiny', 'large'],
      metadata: { labels: { env: 'x' }, attributes: wild },
      ready: false,
      confidential: {
        parameters: wild,
        secrets: { password: "p'w\\" },
        facts: wild,
        dashboardUrl: 'https://d',
      },
    });
    await open(store, provisioning(content));
    const read = await readInstance(store);
    expect(JSON.stringify({ ...read, ...content })).toBe(JSON.stringify(read));
    expect(JSON.stringify(read.context)).toBe(JSON.stringify(wild));
  });

  test('What is absent is absent when it is read, not null.', async () => {
    const bare = { organizationGuid: undefined, spaceGuid: undefined } as never;
    await open(store, provisioning(bare));
    const { instance, operation } = (await store.findInstance('i1')) ?? {};
    expect(instance).not.toHaveProperty('organizationGuid', null);
    expect(Object.values(instance ?? {})).not.toContain(null);
    expect(Object.values(operation ?? {})).not.toContain(null);
  });

  test('The deadline is as far from the opening as the broker said, on the clock of the store.', async () => {
    const asked = { createdAt: new Date(0), deadline: new Date(90_000) };
    await open(store, provisioning({}, begun('provision', asked)));
    const { operation } = (await store.findInstance('i1')) ?? {};
    const { createdAt, deadline } = operation ?? {};
    expect(Number(deadline) - Number(createdAt)).toBe(90_000);
    expect(Math.abs(Number(createdAt) - Date.now())).toBeLessThan(long);
  });

  test('A provision that is over at once leaves a finished instance and history, and no secret in it.', async () => {
    const confidential = { memo: 'm', trace: 't' };
    await open(store, provisioning({}, ended('provision', { confidential, holder: 'request' })));
    const found = await store.findInstance('i1');
    expect(found).toMatchObject({ instance: { ready: true, version: 1 }, bindingsBusy: false });
    expect(found?.operation).toBeUndefined();
    const { operation } = await store.lastOperation({ instanceId: 'i1' });
    expect(operation).toMatchObject({ state: 'succeeded', confidential: {}, finishedAt: expect.any(Date) });
    expect(operation?.holder).toBeUndefined();
    expect(await store.claim('worker', long)).toBeUndefined();
  });

  test('An operation that failed at once keeps its failure.', async () => {
    const failure = { word: 'quota', sentence: 'There is no room left.', detail: 'disk' };
    await open(store, provisioning({}, ended('provision', { state: 'failed', failure })));
    const { operation } = await store.lastOperation({ instanceId: 'i1' });
    expect(operation).toMatchObject({ state: 'failed', failure });
  });

  test('Of 50 who open the same new instance at once, one succeeds.', async () => {
    const results = await Promise.all(
      numbered(50).map((n) => store.open(provisioning({}, n % 2 ? begun('provision') : ended('provision')))),
    );
    expect(results.filter(Boolean)).toHaveLength(1);
    expect((await readInstance(store)).version).toBe(1);
  });

  test('Of 20 who change the same instance at once, one succeeds.', async () => {
    const instance = await anInstanceIn(store);
    const results = await Promise.all(
      numbered(20).map((n) =>
        store.open({
          operation: n % 2 ? begun('update') : ended('update'),
          leaseMs: long,
          instance: n % 4 ? { put: instance } : { remove: instance },
        }),
      ),
    );
    expect(results.filter(Boolean)).toHaveLength(1);
  });

  test('A change needs the version that was read, and raises it.', async () => {
    const read = await anInstanceIn(store);
    const context = { changed: true };
    await open(store, { operation: ended('update'), leaseMs: 0, instance: { put: { ...read, context } } });
    expect(await readInstance(store)).toMatchObject({ version: 2, context });
    for (const operation of [ended('update'), begun('update')]) {
      expect(await store.open({ operation, leaseMs: 0, instance: { put: read } })).toBe(false);
      expect(await store.lastOperation({ instanceId: 'i1', operationId: operation.id })).not.toMatchObject({
        operation: { id: operation.id },
      });
    }
    expect(
      await store.open({ operation: ended('deprovision'), leaseMs: 0, instance: { remove: read } }),
    ).toBe(false);
    expect(await readInstance(store)).toMatchObject({ version: 2, context });
  });

  test('A change keeps the time of creation and moves that of the last update.', async () => {
    const read = await anInstanceIn(store);
    await open(store, {
      operation: ended('update'),
      leaseMs: 0,
      instance: { put: { ...read, createdAt: new Date(0) } },
    });
    const after = await readInstance(store);
    expect(after.createdAt).toEqual(read.createdAt);
    expect(after.updatedAt.getTime()).toBeGreaterThanOrEqual(read.updatedAt.getTime());
  });

  test('A second operation cannot be opened, nor slip past the first as one that is over at once.', async () => {
    await open(store, provisioning({}, begun('provision')));
    const instance = await readInstance(store);
    for (const operation of [begun('deprovision'), ended('deprovision')]) {
      expect(await store.open({ operation, leaseMs: 0, instance: { put: instance } })).toBe(false);
      expect(await store.open({ operation, leaseMs: 0, instance: { remove: instance } })).toBe(false);
    }
  });

  test('The id of an operation is given once.', async () => {
    const operation = ended('provision');
    await open(store, provisioning({}, operation));
    expect(await store.open(provisioning({ id: 'i2' }, operation))).toBe(false);
    expect(await store.findInstance('i2')).toBeUndefined();
  });

  test('A deprovision that is over at once takes the instance and its bindings away; the id is free again.', async () => {
    const instance = await anInstanceIn(store);
    await aBindingIn(store, instance);
    await open(store, { operation: ended('deprovision'), leaseMs: 0, instance: { remove: instance } });
    expect(await store.findBinding('i1', 'b1')).toEqual({});
    expect(await store.lastOperation({ instanceId: 'i1' })).toMatchObject({
      operation: { kind: 'deprovision', state: 'succeeded' },
      exists: false,
    });
    const again = await anInstanceIn(store);
    expect(again.version).toBe(1);
    expect((await store.findBinding('i1', 'b1')).binding).toBeUndefined();
  });

  test('A create that failed can be opened again, over the row that it left.', async () => {
    await open(store, provisioning({}, ended('provision', { state: 'failed' })));
    const failed = await readInstance(store);
    expect(await store.open(provisioning())).toBe(false);
    await open(store, provisioning({ ...failed, spaceGuid: 'other' }));
    expect(await readInstance(store)).toMatchObject({ version: 2, spaceGuid: 'other', ready: false });
  });
}
