import type { ServicePlan } from '../../../src/broker/catalog.ts';
import { aPlan, toOperate, toProvision, toUpdate } from '../fixtures.ts';
import { coreInMemory, gate, scripted } from '../core-in-memory.ts';

/** An instance becomes what its plan is now, when it is asked for: by name, or by naming nothing else. */

const toUpgrade = toOperate;

/** An instance that was made of plans before they changed. */
async function drifted(script: Parameters<typeof scripted>[0] = {}, after: Partial<ServicePlan> = {}) {
  const before = [aPlan(), aPlan({ id: 'large' })];
  const plans = [...before];
  const { provisioner, asked, deeds } = scripted(script);
  const core = coreInMemory(provisioner, plans);
  const revive = (definition: { id?: unknown }) =>
    before.find(({ id }) => id === definition.id) ?? before[0] ?? aPlan();
  const { broker } = core.broker({}, { revive });
  await core.store.saveRevisions(before);
  await broker.provision(toProvision({ parameters: { a: 1 } }));
  plans.splice(
    0,
    2,
    ...before.map((plan) => ({ ...plan, definition: { id: 'new' }, revision: `${plan.id}-2`, ...after })),
  );
  await core.store.saveRevisions(plans);
  return { broker, plans, asked, deeds, revision: async () => (await broker.instance('i1')).revision };
}

test('An upgrade gives the provisioner the plan as it is now, and the parameters as they were.', async () => {
  const { broker, asked, revision } = await drifted();
  expect(await broker.upgrade(toUpgrade())).toMatchObject({ is: 'done', record: { revision: 'small-2' } });
  expect(asked.at(-1)).toMatchObject({
    deed: 'update',
    work: { plan: { revision: 'small-2' }, instance: { confidential: { parameters: { a: 1 } } } },
  });
  expect(await broker.upgrade(toUpgrade())).toMatchObject({ is: 'unchanged' });
  expect(await revision()).toBe('small-2');
});

test('What updates must give is not asked of an upgrade, nor of a version that is named without parameters.', async () => {
  const check = { provision: () => undefined, update: () => 'size is missing.', bind: () => undefined };
  const maintenanceInfo = { version: '2.0.0' };
  const ways = [{ upgrade: true }, { upgrade: true, planId: 'small' }, { maintenanceVersion: '2.0.0' }];
  for (const way of ways) {
    const { broker, revision } = await drifted({}, { check, maintenanceInfo });
    await broker.update(toUpdate(way));
    expect([way, await revision()]).toEqual([way, 'small-2']);
    await expect(broker.update(toUpdate({ ...way, parameters: { a: 2 } }))).rejects.toMatchObject({
      code: 'invalid',
    });
  }
});

test('An upgrade asks for what an instance must have.', async () => {
  const check = { provision: () => 'b is missing.', update: () => undefined, bind: () => undefined };
  const { broker, revision } = await drifted({}, { check });
  await expect(broker.upgrade(toUpgrade())).rejects.toMatchObject({ code: 'invalid', field: 'parameters' });
  expect(await revision()).toBe('small-1');
});

test('Who names a plan from before, and says that it is no change, does not ask for an upgrade.', async () => {
  const { broker, plans, deeds, revision } = await drifted();
  await broker.update(toUpdate({ planId: 'large', previousPlanId: 'small' }));
  plans.splice(0, 2, ...plans.map((plan) => ({ ...plan, revision: `${plan.id}-3` })));
  const before = deeds();
  await broker.update(toUpdate({ planId: 'small', previousPlanId: 'small', upgrade: true }));
  expect([await revision(), deeds()]).toEqual(['large-2', before]);
});

test('An upgrade that is asked for twice at once is one, and an update of a platform waits for it.', async () => {
  const mayEnd = gate();
  const { broker, deeds } = await drifted({ update: () => mayEnd.passed.then(() => ({ done: {} })) });
  const origin = { protocol: 'operator' };
  const upgrades = [1, 2].map(() => broker.upgrade(toUpgrade({ origin })));
  while (!deeds().includes('update')) await new Promise(setImmediate);
  const updated = broker.update(toUpdate({ parameters: { a: 2 } }));
  mayEnd.open();
  expect(await Promise.all(upgrades)).toMatchObject([{ is: 'done' }, {}]);
  expect(await updated).toMatchObject({
    is: 'done',
    record: { revision: 'small-2', confidential: { parameters: { a: 2 } } },
  });
  expect(deeds().filter((deed) => deed === 'update')).toHaveLength(2);
});

test('An upgrade while a platform changes the instance is busy.', async () => {
  const mayEnd = gate();
  const { broker, deeds } = await drifted({ update: () => mayEnd.passed.then(() => ({ done: {} })) });
  const updated = broker.update(toUpdate({ parameters: { a: 2 } }));
  while (!deeds().includes('update')) await new Promise(setImmediate);
  await expect(broker.upgrade(toUpgrade())).rejects.toMatchObject({ code: 'busy' });
  mayEnd.open();
  await updated;
});
