import type { Store } from '../../../src/broker/store.ts';
import { aPlan } from '../../broker/fixtures.ts';
import type { MakeStore } from './remembered.ts';
import {
  aBindingIn,
  anInstanceIn,
  begun,
  binding,
  claim,
  ended,
  long,
  open,
  provisioning,
  readInstance,
} from './steps.ts';
import { until } from '../../support/until.ts';

export function describeAnswers(makeStore: MakeStore): void {
  let store: Store;
  beforeEach(async () => {
    store = await makeStore();
  });

  test('The store can be reached.', async () => {
    await store.ping();
  });

  test('The last operation of what was never there is absent.', async () => {
    expect(await store.lastOperation({ instanceId: 'i1' })).toEqual({ exists: false });
    expect(await store.lastOperation({ instanceId: 'i1', bindingId: 'b1' })).toEqual({ exists: false });
  });

  test('The last operation is the named one of that thing, else the latest.', async () => {
    const first = provisioning({}, ended('provision'));
    await open(store, first);
    const update = ended('update');
    await open(store, { operation: update, leaseMs: 0, instance: { put: await readInstance(store) } });
    await anInstanceIn(store, { id: 'i2' });
    const other = await store.lastOperation({ instanceId: 'i2' });
    const last = async (operationId?: string) => {
      const query = { instanceId: 'i1', ...(operationId !== undefined && { operationId }) };
      const { operation, exists } = await store.lastOperation(query);
      expect(exists).toBe(true);
      return operation?.id;
    };
    expect(await last()).toBe(update.id);
    expect(await last(first.operation.id)).toBe(first.operation.id);
    expect(await last('unknown')).toBe(update.id);
    expect(await last(other.operation?.id)).toBe(update.id);
  });

  test('How long ago an operation has ended is told by the clock of the store.', async () => {
    const instance = await anInstanceIn(store);
    const agoMs = async () => (await store.lastOperation({ instanceId: 'i1' })).endedMs;
    expect(await agoMs()).toBeGreaterThanOrEqual(0);
    await until('the operation is some ms old', async () => Number(await agoMs()) >= 5 || undefined);
    expect(await agoMs()).toBeLessThan(60_000);
    await open(store, { operation: begun('update'), leaseMs: 0, instance: { put: instance } });
    expect(await agoMs()).toBeUndefined();
  });

  test('Operations of a binding and of its instance are told apart.', async () => {
    const instance = await anInstanceIn(store);
    await aBindingIn(store, instance);
    const bind = binding(instance, { id: 'b2' });
    await open(store, bind);
    const kinds = async (query: { bindingId?: string; operationId?: string }) => {
      const { operation, exists } = await store.lastOperation({ instanceId: 'i1', ...query });
      return [operation?.kind, operation?.bindingId, exists];
    };
    expect(await kinds({})).toEqual(['provision', undefined, true]);
    expect(await kinds({ operationId: bind.operation.id })).toEqual(['provision', undefined, true]);
    expect(await kinds({ bindingId: 'b1' })).toEqual(['bind', 'b1', true]);
    expect(await kinds({ bindingId: 'b2', operationId: bind.operation.id })).toEqual(['bind', 'b2', true]);
    expect(await kinds({ bindingId: 'b3', operationId: bind.operation.id })).toEqual([
      undefined,
      undefined,
      false,
    ]);
  });

  test('Only what ended long enough ago is forgotten.', async () => {
    const instance = await anInstanceIn(store);
    const running = begun('update');
    await open(store, { operation: running, leaseMs: 0, instance: { put: instance } });
    expect(await store.prune(long)).toBe(0);
    expect(await until('an old operation is removed', async () => (await store.prune(0)) || undefined)).toBe(
      1,
    );
    expect((await store.lastOperation({ instanceId: 'i1' })).operation).toMatchObject({ id: running.id });
    await store.settle(await claim(store), {});
    expect(await until('an old operation is removed', async () => (await store.prune(0)) || undefined)).toBe(
      1,
    );
    expect(await store.lastOperation({ instanceId: 'i1' })).toEqual({ exists: true });
  });

  test('Revisions of plans are kept, however often and by how many they are saved.', async () => {
    const definition = { nul: '\u0000', nested: [{ a: null }] };
    const plans = [aPlan({ id: 'a', revision: 'r1', definition }), aPlan({ id: 'b', revision: 'r2' })];
    await Promise.all([
      store.saveRevisions(plans),
      store.saveRevisions(plans.toReversed()),
      store.saveRevisions([]),
    ]);
    await store.saveRevisions([...plans, aPlan({ revision: 'r3' })]);
    expect(await store.findRevision('r1')).toEqual(definition);
    expect(await store.findRevision('r3')).toEqual({ id: 'small' });
    expect(await store.findRevision('r4')).toBeUndefined();
  });

  test('Two plans of the same revision are one.', async () => {
    await store.saveRevisions([aPlan({ id: 'a', revision: 'r' }), aPlan({ id: 'b', revision: 'r' })]);
    expect(await store.findRevision('r')).toBeDefined();
  });
}
