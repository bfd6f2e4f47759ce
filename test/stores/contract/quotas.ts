import { platformOf } from '../../../src/broker/key.ts';
import type { Demand } from '../../../src/broker/nodes.ts';
import type { Quota } from '../../../src/broker/policies.ts';
import { quotaClaims } from '../../../src/broker/operations/quota.ts';
import type { ServiceInstance } from '../../../src/broker/records.ts';
import type { Store } from '../../../src/broker/store.ts';
import { anInstance, aPlan } from '../../broker/fixtures.ts';
import type { MakeRemembered } from './remembered.ts';
import { heldFromBirth, long, numbered, provisioning } from './steps.ts';
import { aNodeIn, aPlacedInstance, aRoom, brokersOf, placeOne, said, type Remembered } from './remembered.ts';

export function describeQuotas(makeRemembered: MakeRemembered): void {
  let remembered: Remembered;
  let store: Store;
  beforeEach(async () => {
    remembered = await makeRemembered();
    store = remembered.store;
  });

  function demandOf(quotas: readonly Quota[], rest: Partial<ServiceInstance> = {}): Demand {
    return { quotas: quotaClaims(aPlan(), { quotas, cost: 1 }, anInstance(rest)), room: aRoom() };
  }

  test.each<[what: string, mine: Partial<ServiceInstance>, others: Partial<ServiceInstance>, quota: Quota]>([
    [
      'organization',
      {},
      { organizationGuid: 'other' },
      { of: 'offering', per: 'organization', instances: 2 },
    ],
    ['space', {}, { spaceGuid: 'other' }, { of: 'offering', per: 'space', instances: 2 }],
    [
      'platform',
      { context: { platform: 'cloudfoundry' } },
      { context: { platform: 'tsuru' } },
      { of: 'offering', per: 'platform', instances: 2 },
    ],
    [
      'organization of a platform with a name',
      { context: { platform: 'cloudfoundry' } },
      { id: 'acme::other', context: { platform: 'cloudfoundry' } },
      { of: 'offering', per: 'organization', instances: 2 },
    ],
    [
      'platform whose name another says of itself',
      { context: { platform: 'acme' } },
      { id: 'acme::other' },
      { of: 'offering', per: 'platform', instances: 2 },
    ],
    ['plan', {}, { planId: 'large' }, { of: 'plan', per: 'total', instances: 2 }],
    [
      'organization, of every offering,',
      {},
      { organizationGuid: 'other', offeringId: 'queue' },
      { of: 'all', per: 'organization', instances: 2 },
    ],
    [
      'team, which is known by its name',
      { organizationGuid: undefined, context: { team: 'x'.repeat(300) } },
      { organizationGuid: undefined, context: { team: 'y' } },
      { of: 'offering', per: 'organization', instances: 2 },
    ],
  ])(
    'Of five of one %s who ask at once for what a quota of two allows, two get it, and others are not counted.',
    async (_what, mine, others, quota) => {
      await aNodeIn(remembered, { capacity: 100 });
      await aPlacedInstance(remembered, { id: 'other', ...others });
      const broker = brokersOf(remembered);
      const demand = demandOf([quota], mine);
      const all = await Promise.all(
        numbered(5).map((n) => placeOne(broker(n), { id: `i${n}`, ...mine }, demand)),
      );
      expect(all.map(said).toSorted()).toEqual(['n1', 'n1', 'quota', 'quota', 'quota']);
      expect(all.find((one) => said(one) === 'quota')).toMatchObject({
        short: { by: 'instances', limit: 2, used: 2, claim: { quota } },
      });
    },
  );

  test('A quota of costs counts what instances take, and what an open update will take.', async () => {
    await aNodeIn(remembered, { capacity: 100 });
    const demand = demandOf([{ of: 'offering', per: 'total', cost: 5 }]);
    const first = await aPlacedInstance(remembered, { id: 'i1' }, { room: aRoom({ cost: 2 }) });
    const target = { ...first, place: { node: 'n1', cost: 4 } };
    const operation = heldFromBirth('update', { instanceId: 'i1', confidential: { target } });
    const larger = { operation, leaseMs: long, instance: { put: first } };
    expect(said(await store.place(larger, { room: aRoom({ cost: 4, on: 'n1' }) }))).toBe('n1');
    expect(said(await placeOne(remembered, { id: 'i2' }, demand))).toBe('n1');
    expect(await placeOne(remembered, { id: 'i3' }, demand)).toMatchObject({
      short: { of: 'quota', by: 'cost', limit: 5, used: 5 },
    });
  });

  test('A create that failed, and one that is tried again, are not counted.', async () => {
    await aNodeIn(remembered);
    const demand = demandOf([{ of: 'offering', per: 'space', instances: 1 }]);
    const operation = heldFromBirth('provision', { state: 'failed' });
    await store.open(provisioning({ id: 'failed', ready: false }, operation));
    expect(said(await placeOne(remembered, { id: 'i1' }, demand))).toBe('n1');
    expect(said(await placeOne(remembered, { id: 'i2' }, demand))).toBe('quota');
  });

  test('What is in use is listed by whose it is, those who use most first.', async () => {
    await aNodeIn(remembered);
    const context = { organization_name: 'acme' };
    for (const [id, organizationGuid] of [
      ['i1', 'few'],
      ['i2', 'many'],
      ['i3', 'many'],
    ] as const)
      await aPlacedInstance(remembered, { id, organizationGuid, context: id === 'i3' ? context : {} });
    const count = { offeringId: 'cache' };
    expect(await store.listUses(count, 'organization', 100)).toEqual([
      { owner: 'many', name: 'acme', within: 'default', instances: 2, cost: 2 },
      { owner: 'few', within: 'default', instances: 1, cost: 1 },
    ]);
    expect(await store.listUses({}, 'space', 100)).toMatchObject([{ owner: 'space', instances: 3 }]);
    expect(await store.listUses(count, 'total', 100)).toEqual([{ instances: 3, cost: 3 }]);
    expect(await store.listUses(count, 'organization', 1)).toHaveLength(1);
    expect(await store.listUses({ ...count, planId: 'large' }, 'space', 100)).toEqual([]);
  });
  test('What is in use is told apart by the platform that an id says, as it is read everywhere else.', async () => {
    await aNodeIn(remembered, { capacity: 100 });
    const long = 'a'.repeat(40);
    const ids = [
      'i',
      'blue::i',
      'a::',
      'a:::b::c',
      '::i',
      'Blue::i',
      '-a::i',
      'b_c::i',
      'x y::i',
      `${long}::i`,
      `${long}a::i`,
    ];
    for (const id of ids) await aPlacedInstance(remembered, { id });
    const counted = Map.groupBy(ids, (id) => platformOf(id).platform);
    const uses = await store.listUses({}, 'organization', 100);
    expect(new Map(uses.map(({ within, instances }) => [within, instances]))).toEqual(
      new Map([...counted].map(([within, own]) => [within, own.length])),
    );
    expect(counted.size).toBe(4);
  });
}
