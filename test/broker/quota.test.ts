import type { Quota } from '../../src/broker/catalog.ts';
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

test('An update to a plan whose quota is used up is refused, and one that stays in its plan is not', async () => {
  const broker = brokerWith(ofPlan);
  await broker.provision({ ...toProvision(), instanceId: 'i0', planId: 'large' });
  await broker.provision(toProvision());
  await expect(broker.update({ ...toUpdate(), planId: 'large' })).rejects.toMatchObject({
    message: "The quota for the plan 'large' of 'cache' is 1 instance: 1 is in use.",
  });
  await broker.update({ ...toUpdate(), instanceId: 'i0', planId: 'large', parameters: { size: 2 } });
});

test('Operators see each quota once, with who uses how much of it', async () => {
  const broker = brokerWith(perSpace, ofPlan);
  await broker.provision({ ...toProvision(), planId: 'large' });
  expect(await broker.overview.quotas()).toMatchObject([
    { quota: perSpace, offering: 'cache', uses: [{ owner: 'space', instances: 1 }] },
    { quota: ofPlan, offering: 'cache', plan: 'large', uses: [{ instances: 1 }] },
  ]);
});
