import { aPlan, toDeprovision, toOperate, toProvision, toUpdate } from './fixtures.ts';
import { coreInMemory, gate, scripted } from './core-in-memory.ts';
import { app, appPlan, needingCore, onlyChildOf, planOf } from './dependencies/dependent-apps.ts';

/** Who deletes what is protected is refused, whatever way he takes, and nothing that nobody knows is kept by that. */

const day = 86_400_000;
const origin = { protocol: 'test' };
const refused = {
  code: 'invalid',
  message: expect.stringContaining('is protected against deletion') as string,
};

test('A plan protects its instances from 36 hours on, so that what platforms take for failed goes before', async () => {
  const plans = [aPlan({ isProtected: true })];
  const core = coreInMemory(scripted({}).provisioner, plans);
  const { broker } = core.broker();
  await broker.provision(toProvision());
  await broker.deprovision(toDeprovision());
  await broker.provision(toProvision());
  core.pass(1.6 * day);
  await expect(broker.deprovision(toDeprovision())).rejects.toMatchObject(refused);
  await broker.protectInstance({ instanceId: 'i1', protects: false, origin });
  expect(await broker.deprovision(toDeprovision())).toMatchObject({ is: 'done' });
});

test('An instance that is being changed is protected at once, and stays so when that has ended', async () => {
  const { open, passed } = gate();
  const update = async () => (await passed, { done: {} });
  const core = coreInMemory(scripted({ update }).provisioner, [aPlan(), aPlan({ id: 'large' })]);
  const { broker } = core.broker();
  await broker.provision(toProvision());
  const changing = broker.update(toUpdate({ planId: 'large', acceptsIncomplete: false }));
  await broker.protectInstance({ instanceId: 'i1', protects: true, origin });
  open();
  await changing;
  expect((await core.store.findInstance('i1'))?.instance).toMatchObject({ planId: 'large' });
  await expect(broker.removeInstance(toOperate())).rejects.toMatchObject(refused);
  await expect(broker.forceDelete(toOperate())).rejects.toMatchObject(refused);
  await expect(broker.purgeInstance(toOperate())).rejects.toMatchObject(refused);
  expect(core.events.filter(({ type }) => type === 'command-ended')).toMatchObject([
    { command: { kind: 'protect', instanceId: 'i1' } },
    { command: { kind: 'purge' }, failure: { word: 'invalid' } },
  ]);
});

test('What was made for another instance goes with it, and is protected by the protection of that one', async () => {
  const core = needingCore([appPlan(), planOf('db', { isProtected: true })]);
  const { broker } = core.broker();
  await broker.provision(toProvision(app));
  const child = (await onlyChildOf(core, 'i1')).id;
  await expect(broker.protectInstance({ instanceId: child, protects: true, origin })).rejects.toMatchObject({
    code: 'invalid',
    message: expect.stringContaining("made for the instance 'i1'") as string,
  });
  core.pass(3 * day);
  await broker.deprovision(toDeprovision(app));
  expect(await core.store.findInstance(child)).toBeUndefined();
});
