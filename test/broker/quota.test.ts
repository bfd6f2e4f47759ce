import { quotaSentence } from '../../src/broker/operations/quota.ts';
import type { Quota } from '../../src/broker/policies.ts';
import { aPlan, toProvision, toUpdate } from './fixtures.ts';
import { coreInMemory, scripted } from './core-in-memory.ts';

/** Who asks for more than a quota allows is told which it is and how much of it is used, and nothing is changed. */

const perSpace: Quota = { of: 'offering', per: 'space', instances: 1 };
const ofPlan: Quota = { of: 'plan', per: 'total', instances: 1 };

function brokerWith(...quotas: readonly Quota[]) {
  const shared = quotas.filter(({ of }) => of === 'offering');
  const plans = [aPlan({ quotas: shared }), aPlan({ id: 'large', quotas })];
  return coreInMemory(scripted({}, { selfContained: true }).provisioner, plans).broker().broker;
}

test('Another instance than a quota allows is refused with the quota and what is used, however short the way', async () => {
  const broker = brokerWith(perSpace);
  await broker.provision(toProvision());
  await expect(broker.provision({ ...toProvision(), instanceId: 'i2' })).rejects.toMatchObject({
    code: 'invalid',
    message: "The quota of the space 'space' for 'cache' is 1 instance: 1 is in use.",
  });
  await broker.provision({ ...toProvision(), instanceId: 'i2', spaceGuid: 'elsewhere' });
  await broker.provision(toProvision());
});

test('Who counts no further than there may be, by far, says so', () => {
  const claim = { quota: perSpace, name: 'acme', isNew: true, cost: 0, held: 0 };
  const shortage = { of: 'quota', by: 'instances', claim, limit: 1 } as const;
  expect(quotaSentence(aPlan(), { ...shortage, used: 1000 })).toBe(
    "The quota of the space 'acme' for 'cache' is 1 instance: 1000 are in use.",
  );
  expect(quotaSentence(aPlan(), { ...shortage, used: 1001 })).toBe(
    "The quota of the space 'acme' for 'cache' is 1 instance: at least 1001 are in use.",
  );
});

test('An update to a plan whose quota is used up is refused, and one that stays in its plan is not', async () => {
  const broker = brokerWith(ofPlan);
  await broker.provision({ ...toProvision(), instanceId: 'i0', planId: 'large' });
  await broker.provision(toProvision());
  await expect(broker.update({ ...toUpdate(), planId: 'large' })).rejects.toMatchObject({
    message: "The quota for the plan 'large' of 'cache' is 1 instance: 1 is in use.",
  });
  await broker.update({ ...toUpdate(), instanceId: 'i0', planId: 'large', parameters: { size: 2 } });
});

test('A rule beside the offering files takes the place of the same in them, with an exception for who has one', async () => {
  const rule = { ...perSpace, instances: 2, from: 'the file' };
  const exceptions = [{ is: 'space', platform: 'default', instances: 1, from: 'the exception' }];
  const plans = [aPlan({ quotas: [perSpace] })];
  const { broker } = coreInMemory(scripted({}, { selfContained: true }).provisioner, plans).broker(
    {},
    { quotas: () => [{ ...rule, exceptions }] },
  );
  for (const [instanceId, spaceGuid] of [
    ['i1', 'space'],
    ['i2', 'other'],
    ['i3', 'other'],
  ] as const)
    await broker.provision({ ...toProvision(), instanceId, spaceGuid });
  await expect(broker.provision({ ...toProvision(), instanceId: 'i4' })).rejects.toMatchObject({
    message: "The quota of the space 'space' for 'cache' is 1 instance: 1 is in use.",
  });
  expect(await broker.overview.quotas()).toMatchObject([
    {
      quota: { from: 'the file', instances: 2 },
      uses: [
        { owner: 'other', instances: 2 },
        { owner: 'space', instances: 1, exception: { instances: 1, from: 'the exception' } },
      ],
    },
  ]);
});

test('A quota of everything counts the instances of all offerings, and what is on no node costs nothing', async () => {
  const plans = [aPlan(), aPlan({ id: 'queues', offeringId: 'queue', offeringName: 'queue' })];
  const quotas = [
    { of: 'all', per: 'organization', instances: 1, cost: 0, from: 'the file' },
    { of: 'offering', offering: 'gone', per: 'total', instances: 5, from: 'the file' },
  ] as const;
  const { broker } = coreInMemory(scripted({}, { selfContained: true }).provisioner, plans).broker(
    {},
    { quotas: () => quotas },
  );
  await broker.provision({ ...toProvision(), offeringId: 'queue', planId: 'queues' });
  await expect(broker.provision({ ...toProvision(), instanceId: 'i2' })).rejects.toMatchObject({
    message: "The quota of the organization 'org' for all services is 1 instance: 1 is in use.",
  });
  expect(await broker.overview.quotas()).toMatchObject([
    { quota: quotas[0], uses: [{ owner: 'org', instances: 1 }] },
    { quota: quotas[1], offering: 'gone', uses: [] },
  ]);
});

test('A change to a plan that costs more is counted by what it costs more', async () => {
  const plans = [1, 3].map((cost) =>
    aPlan({
      id: cost === 1 ? 'small' : 'large',
      operating: { cost },
      quotas: [{ of: 'offering', per: 'total', cost: 3 }],
    }),
  );
  const core = coreInMemory(scripted({}, { local: true }).provisioner, plans);
  await core.beat({ name: 'n1' });
  const { broker } = core.broker({ node: 'n1' });
  for (const instanceId of ['i1', 'i2']) await broker.provision({ ...toProvision(), instanceId });
  await expect(broker.update({ ...toUpdate(), planId: 'large' })).rejects.toMatchObject({
    message: "The quota for 'cache' is a cost of 3: 1 is in use, and this one costs 3.",
  });
});

test('Operators see each quota once, with who uses how much of it', async () => {
  const broker = brokerWith(perSpace, ofPlan);
  await broker.provision({ ...toProvision(), planId: 'large' });
  expect(await broker.overview.quotas()).toMatchObject([
    { quota: perSpace, offering: 'cache', uses: [{ owner: 'space', instances: 1 }] },
    { quota: ofPlan, offering: 'cache', plan: 'large', uses: [{ instances: 1 }] },
  ]);
});
