import type { Store } from '../../../src/broker/store.ts';
import { aBinding } from '../../broker/fixtures.ts';
import type { MakeStore } from './remembered.ts';
import {
  aBindingIn,
  anInstanceIn,
  begun,
  binding,
  ended,
  heldFromBirth,
  long,
  numbered,
  open,
  provisioning,
  readBinding,
  readInstance,
  unbinding,
} from './steps.ts';

export function describeBindingOpenings(makeStore: MakeStore): void {
  let store: Store;
  beforeEach(async () => {
    store = await makeStore();
  });

  test('A bind writes the binding and its operation, and the instance is busy with it.', async () => {
    const instance = await anInstanceIn(store);
    const operation = heldFromBirth('bind');
    await open(store, binding(instance, {}, operation));
    const { found, ...own } = await store.findBinding('i1', 'b1');
    expect(found).toMatchObject({ instance: { id: 'i1' }, bindingsBusy: true });
    expect(found?.operation).toBeUndefined();
    expect(own).toMatchObject({
      binding: { ready: false },
      operation: { id: operation.id, bindingId: 'b1' },
    });
    expect(await store.findInstance('i1')).toEqual(found);
  });

  test('Every member of a binding comes back as it was put.', async () => {
    const wild = JSON.parse('{"nul": "\\u0000", "half": "\\udfff", "wide": "👍🏽"}');
    const instance = await anInstanceIn(store);
    const content = {
      appGuid: 'app',
      route: 'r.example.com',
      predecessorId: 'b0',
      context: wild,
      expiresAt: new Date('2040-01-01T00:00:00.123Z'),
      renewBefore: new Date('2039-01-01T00:00:00.456Z'),
      confidential: {
        parameters: wild,
        secrets: { password: 'pw' },
        facts: wild,
        answer: {
          credentials: wild,
          syslogDrainUrl: 's',
          routeServiceUrl: 'r',
          volumeMounts: [wild],
          endpoints: [],
        },
      },
    };
    await open(store, binding(instance, content, ended('bind')));
    const read = await readBinding(store);
    expect(read).toEqual({ ...aBinding(content), createdAt: expect.any(Date) });
    expect(Object.values(await aBindingIn(store, instance, { id: 'b2' }))).not.toContain(null);
  });

  test('Binds of one instance run beside each other, whether they are over at once or not.', async () => {
    const instance = await anInstanceIn(store);
    const results = await Promise.all(
      numbered(20).map((n) =>
        store.open(binding(instance, { id: `b${n}` }, n % 2 ? begun('bind') : ended('bind'))),
      ),
    );
    expect(results).toEqual(numbered(20).map(() => true));
  });

  test('Of 20 who open the same binding at once, one succeeds, and its credentials stay.', async () => {
    const instance = await anInstanceIn(store);
    const secrets = (n: number) => ({ ...aBinding().confidential, secrets: { n: String(n) } });
    const results = await Promise.all(
      numbered(20).map((n) => store.open(binding(instance, { confidential: secrets(n) }, ended('bind')))),
    );
    expect(results.filter(Boolean)).toHaveLength(1);
    expect((await readBinding(store)).confidential).toEqual(secrets(results.indexOf(true)));
  });

  test('Two binds in progress of the same binding exclude each other.', async () => {
    const instance = await anInstanceIn(store);
    const results = await Promise.all(numbered(10).map(() => store.open(binding(instance))));
    expect(results.filter(Boolean)).toHaveLength(1);
  });

  test('A binding that is ready is never overwritten by a bind, one that failed is.', async () => {
    const instance = await anInstanceIn(store);
    await open(store, binding(instance, {}, ended('bind', { state: 'failed' })));
    expect(await readBinding(store)).toMatchObject({ ready: false });
    await open(store, binding(instance, { appGuid: 'second' }, ended('bind')));
    expect(await store.open(binding(instance, { appGuid: 'third' }, ended('bind')))).toBe(false);
    expect(await store.open(binding(instance, { appGuid: 'third' }))).toBe(false);
    expect(await readBinding(store)).toMatchObject({ ready: true, appGuid: 'second' });
    expect((await store.findInstance('i1'))?.bindingsBusy).toBe(false);
  });

  test('What is not ready cannot be bound, nor what is not there.', async () => {
    await open(store, provisioning({}, ended('provision', { state: 'failed' })));
    const failed = await readInstance(store);
    for (const kind of [begun('bind'), ended('bind')]) {
      expect(await store.open(binding(failed, {}, kind))).toBe(false);
      expect(await store.open(binding({ ...failed, id: 'nowhere' }, {}, kind))).toBe(false);
    }
    expect((await store.lastOperation({ instanceId: 'i1', bindingId: 'b1' })).operation).toBeUndefined();
  });

  test('An instance with an open operation of its own cannot be bound or unbound.', async () => {
    const instance = await anInstanceIn(store);
    const bound = await aBindingIn(store, instance);
    await open(store, { operation: begun('update'), leaseMs: long, instance: { put: instance } });
    const now = await readInstance(store);
    expect(await store.open(binding(now, { id: 'b2' }))).toBe(false);
    expect(await store.open(binding(now, { id: 'b2' }, ended('bind')))).toBe(false);
    expect(await store.open(unbinding(now, bound))).toBe(false);
    expect(await store.open(unbinding(now, bound, ended('unbind')))).toBe(false);
    expect(await store.findBinding('i1', 'b1')).toMatchObject({ binding: bound });
  });

  test('An opening that fails on its binding has not touched the instance.', async () => {
    const instance = await anInstanceIn(store);
    await aBindingIn(store, instance);
    expect(await store.open(binding(instance))).toBe(false);
    expect(await readInstance(store)).toEqual(instance);
  });

  test('A bind that goes on is not overlooked by who read the instance before; one over at once need not be seen.', async () => {
    const read = await anInstanceIn(store);
    await aBindingIn(store, read);
    expect((await readInstance(store)).version).toBe(read.version);
    await open(store, binding(read, { id: 'b2' }));
    expect(await store.open({ operation: begun('update'), leaseMs: 0, instance: { put: read } })).toBe(false);
    expect(
      await store.open({ operation: ended('deprovision'), leaseMs: 0, instance: { remove: read } }),
    ).toBe(false);
  });

  test('An operation on the instance and binds that go on exclude each other in every race.', async () => {
    for (const round of numbered(8)) {
      const instance = await anInstanceIn(store, { id: `i${round}` });
      const update = { ...begun('update'), instanceId: instance.id };
      const opens = [
        ...numbered(2).map((n) => store.open(binding(instance, { id: `b${n}` }))),
        store.open({ operation: update, leaseMs: long, instance: { put: instance } }),
        ...numbered(2).map((n) => store.open(binding(instance, { id: `b${n + 2}` }))),
      ];
      const [first, second, updated, ...rest] = await Promise.all(opens);
      expect([first, second, ...rest]).toEqual(numbered(4).map(() => !updated));
    }
  });

  test('Unbinds race with a deprovision, and nothing is left or half done.', async () => {
    const instance = await anInstanceIn(store);
    const bound = await Promise.all(numbered(6).map((n) => aBindingIn(store, instance, { id: `b${n}` })));
    const [gone, ...unbound] = await Promise.all([
      store.open({ operation: ended('deprovision'), leaseMs: 0, instance: { remove: instance } }),
      ...bound.map((one) => store.open(unbinding(instance, one, ended('unbind')))),
      ...numbered(6).map((n) => store.open(binding(instance, { id: `new${n}` }, ended('bind')))),
    ]);
    expect(gone).toBe(true);
    expect(unbound).toHaveLength(12);
    expect(await store.findInstance('i1')).toBeUndefined();
    expect(await store.leftBinding('i1')).toBeUndefined();
  });

  test('An unbind that is over at once takes the binding away, and once.', async () => {
    const instance = await anInstanceIn(store);
    const bound = await aBindingIn(store, instance);
    const results = await Promise.all(
      numbered(10).map(() => store.open(unbinding(instance, bound, ended('unbind')))),
    );
    expect(results.filter(Boolean)).toHaveLength(1);
    expect((await store.findBinding('i1', 'b1')).binding).toBeUndefined();
    await aBindingIn(store, instance);
  });

  test('An unbind that goes on marks the binding, also when it puts nothing.', async () => {
    const instance = await anInstanceIn(store);
    const bound = await aBindingIn(store, instance);
    const { binding: _put, ...bare } = unbinding(instance, bound);
    await open(store, bare);
    expect(await store.findBinding('i1', 'b1')).toMatchObject({
      binding: bound,
      operation: { kind: 'unbind' },
    });
    expect(await store.open(unbinding(instance, bound))).toBe(false);
    expect(await store.open(unbinding(instance, bound, ended('unbind')))).toBe(false);
    expect(await store.open(binding(instance))).toBe(false);
  });

  test('An unbind of a binding that is not there opens nothing.', async () => {
    const instance = await anInstanceIn(store);
    for (const operation of [begun('unbind'), ended('unbind')]) {
      expect(await store.open(unbinding(instance, aBinding(), operation))).toBe(false);
    }
    expect((await store.findInstance('i1'))?.bindingsBusy).toBe(false);
  });

  test('An unbind decided on a binding that was made anew since is decided again.', async () => {
    const instance = await anInstanceIn(store);
    const bound = await aBindingIn(store, instance);
    const older = { ...bound, createdAt: new Date(bound.createdAt.getTime() - 1000) };
    expect(await store.open(unbinding(instance, older))).toBe(false);
    expect(await store.open(unbinding(instance, older, ended('unbind')))).toBe(false);
    await open(store, unbinding(instance, bound));
  });

  test('Two instances may have bindings of the same id, and those are two.', async () => {
    const [one, two] = [await anInstanceIn(store), await anInstanceIn(store, { id: 'i2' })];
    await open(store, binding(one, { appGuid: 'a' }));
    await open(store, binding(two, { appGuid: 'b' }));
    expect(await readBinding(store, 'i1')).toMatchObject({ appGuid: 'a' });
    expect(await readBinding(store, 'i2')).toMatchObject({ appGuid: 'b' });
  });
}
