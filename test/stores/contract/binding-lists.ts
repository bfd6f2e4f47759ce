import type { BindingsQuery } from '../../../src/broker/listing.ts';
import type { Store } from '../../../src/broker/store.ts';
import type { MakeStore } from './remembered.ts';
import { aBindingIn, anInstanceIn, binding, open, readInstance } from './steps.ts';

export function describeBindingLists(makeStore: MakeStore): void {
  let store: Store;
  beforeEach(async () => {
    store = await makeStore();
    for (const id of ['i1', 'i2']) {
      const instance = await anInstanceIn(store, {
        id,
        offeringId: `offering of ${id}`,
        context: { platform: id === 'i1' ? 'cloudfoundry' : 'kubernetes', space_name: 's' },
      });
      for (const one of ['a', 'b', 'c'])
        await aBindingIn(store, instance, { id: one, appGuid: `app ${one}` });
    }
    const i2 = await readInstance(store, 'i2');
    await open(store, binding(i2, { id: 'd' }));
    await aBindingIn(store, await readInstance(store, 'i1'), { id: 'z', expiresAt: new Date(0) });
  });

  async function listed(query: Partial<BindingsQuery>): Promise<readonly string[]> {
    const { bindings } = await store.listBindings({ limit: 100, ...query });
    return bindings.map(({ instance, binding: one }) => `${instance.id}/${one.id}`);
  }

  test.each<[string, Partial<BindingsQuery>, readonly string[]]>([
    ['one instance', { instanceId: 'i1' }, ['i1/a', 'i1/b', 'i1/c', 'i1/z']],
    ['an offering', { offeringId: 'offering of i2' }, ['i2/a', 'i2/b', 'i2/c', 'i2/d']],
    ['a plan that nobody has', { planIds: ['none'] }, []],
    ['a platform', { platform: 'kubernetes', appGuid: 'app a' }, ['i2/a']],
    ['an application', { appGuid: 'app b' }, ['i1/b', 'i2/b']],
    ['what is being bound', { state: 'binding' }, ['i2/d']],
    ['what is being unbound', { state: 'unbinding' }, []],
    ['what is bound', { state: 'bound', instanceId: 'i1' }, ['i1/a', 'i1/b', 'i1/c']],
    ['what has expired', { state: 'expired' }, ['i1/z']],
    ['what has failed', { state: 'failed' }, []],
    ['what is an hour old', { olderThan: 3_600_000 }, []],
    [
      'what is an hour old at most',
      { youngerThan: 3_600_000, space: 's', appGuid: 'app c' },
      ['i1/c', 'i2/c'],
    ],
    ['a node', { node: 'n1' }, []],
  ])('The list of bindings is asked for %s.', async (_what, query, expected) => {
    expect(await listed(query)).toEqual(expected);
  });

  test('The list of bindings goes on where a page has ended, without a secret, and refuses what is no page.', async () => {
    const all: string[] = [];
    let after: string | undefined;
    do {
      const page = await store.listBindings({ limit: 3, after });
      expect(page.bindings.every((one) => !('confidential' in one.binding))).toBe(true);
      all.push(...page.bindings.map(({ instance, binding: one }) => `${instance.id}/${one.id}`));
      after = page.next;
    } while (after !== undefined);
    expect(all).toEqual(await listed({}));
    expect(all).toHaveLength(8);
    const refused = { code: 'invalid', field: 'after' };
    for (const word of ['x', Buffer.from('["a"]').toString('base64url')])
      await expect(store.listBindings({ limit: 3, after: word })).rejects.toMatchObject(refused);
  });
}
