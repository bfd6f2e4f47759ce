import type { OperationsQuery } from '../../../src/broker/listing.ts';
import { Refusal } from '../../../src/broker/errors.ts';
import type { Store } from '../../../src/broker/store.ts';
import type { MakeStore } from './remembered.ts';
import { aBindingIn, anInstanceIn, begun, claim, open, provisioning, readInstance } from './steps.ts';

const hour = 3_600_000;

/** Lists that are asked for less than everything, page by page. */
export function describeLists(makeStore: MakeStore): void {
  let store: Store;
  beforeEach(async () => {
    store = await makeStore();
  });

  test('Instances are found by whose they are, what they are made from and how they are.', async () => {
    const context = {
      platform: 'cloudfoundry',
      organization_name: 'acme',
      space_name: 'dev',
      odd: '\u0000 is no text of every database',
    };
    await anInstanceIn(store, { id: 'a', context, organizationGuid: 'o-1', spaceGuid: 's-1' });
    await anInstanceIn(store, { id: 'b', context: { platform: 'tsuru', team: 'acme' }, planId: 'other' });
    await anInstanceIn(store, { id: 'c', context: { platform: 'x'.repeat(5000), space_name: '\ud83d' } });
    await open(store, provisioning({ id: 'd', context: { platform: 'kubernetes', namespace: 'dev' } }));
    const failing = await claim(store);
    await store.settle(failing, { failure: { word: 'x', sentence: 'It failed.' } });
    await open(store, provisioning({ id: 'e' }));
    const ids = async (asked: object) =>
      (await store.list({ limit: 10, ...asked })).map(({ instance }) => instance.id);
    expect(await ids({})).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(await ids({ platform: 'tsuru' })).toEqual(['b']);
    expect(await ids({ organization: 'acme' })).toEqual(['a', 'b']);
    expect(await ids({ organization: 'acme', platform: 'cloudfoundry' })).toEqual(['a']);
    expect(await ids({ organizationGuid: 'o-1' })).toEqual(['a']);
    expect(await ids({ space: 'dev' })).toEqual(['a', 'd']);
    expect(await ids({ spaceGuid: 's-1', space: 'prod' })).toEqual([]);
    expect(await ids({ planIds: ['other', 'none'] })).toEqual(['b']);
    expect(await ids({ state: 'ready' })).toEqual(['a', 'b', 'c']);
    expect(await ids({ state: 'failed' })).toEqual(['d']);
    expect(await ids({ state: 'provisioning' })).toEqual(['e']);
    expect(await ids({ state: 'lost' })).toEqual([]);
    expect(await ids({ olderThan: hour })).toEqual([]);
    expect(await ids({ youngerThan: hour, after: 'c' })).toEqual(['d', 'e']);
  });

  test('Operations of all instances are listed page by page, the latest first, and found by how they went.', async () => {
    const instance = await anInstanceIn(store, { id: 'a' });
    await aBindingIn(store, instance);
    await open(store, provisioning({ id: 'b' }, begun('provision', { id: 'failing' })));
    await store.settle(await claim(store), { failure: { word: 'x', sentence: 'It failed.' } });
    await open(store, {
      operation: begun('restart', { id: 'open', instanceId: 'a' }),
      leaseMs: hour,
      instance: { put: await readInstance(store, 'a') },
    });
    const all: string[] = [];
    let after: string | undefined;
    do {
      const page = await store.listOperations({ limit: 1, ...(after !== undefined && { after }) });
      all.push(...page.operations.map(({ id }) => id));
      after = page.next;
    } while (after !== undefined);
    expect(all).toHaveLength(4);
    expect(all.slice(0, 2)).toEqual(['open', 'failing']);
    const kinds = async (asked: Partial<OperationsQuery>) =>
      (await store.listOperations({ limit: 10, ...asked })).operations.map(({ kind }) => kind);
    expect(await kinds({})).toEqual(['restart', 'provision', 'bind', 'provision']);
    expect(await kinds({ state: 'failed' })).toEqual(['provision']);
    expect(await kinds({ state: 'in progress' })).toEqual(['restart']);
    expect(await kinds({ state: 'succeeded', kind: 'bind' })).toEqual(['bind']);
    expect(await kinds({ instanceId: 'b' })).toEqual(['provision']);
    expect(await kinds({ olderThan: hour })).toEqual([]);
    expect(await kinds({ youngerThan: hour })).toHaveLength(4);
  });

  test.each(['nothing', '', 'WyJ4IiwxXQ', 'WyIyMDI2LTAxLTAxIl0'])(
    'A page of operations after %j, which no page has told, is refused.',
    async (after) => {
      await expect(store.listOperations({ limit: 1, after })).rejects.toThrow(Refusal);
    },
  );
}
