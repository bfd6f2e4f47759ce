import { app, needingCore, onlyChildOf } from '../dependencies/dependent-apps.ts';
import { aPlan, toBind, toDeprovision, toProvision } from '../fixtures.ts';
import { coreInMemory, gate, scripted } from '../core-in-memory.ts';

/** Bindings that platforms have forgotten, removed by operators. */

const toRemove = {
  instanceId: 'i1',
  bindingId: 'b1',
  origin: { protocol: 'operator' },
  acceptsIncomplete: true,
};

test('A binding of a plan that has left the catalog can be removed.', async () => {
  const plans = [aPlan(), aPlan({ id: 'other' })];
  const { provisioner, deeds } = scripted({});
  const core = coreInMemory(provisioner, plans);
  const { broker } = core.broker({}, { revive: () => aPlan() });
  await core.store.saveRevisions(plans);
  await broker.provision(toProvision());
  await broker.bind(toBind());
  plans.shift();
  expect(await broker.removeBinding(toRemove)).toMatchObject({ is: 'done' });
  expect(deeds()).toEqual(['provision', 'bind', 'unbind']);
  await expect(broker.removeBinding(toRemove)).rejects.toMatchObject({
    code: 'not-found',
    message: 'The service instance has no binding with this id.',
  });
});

test('A binding by which another instance has what it needs is refused, and names it.', async () => {
  const core = needingCore();
  const { broker } = core.broker();
  await broker.provision(toProvision(app));
  const child = await onlyChildOf(core);
  const [held] = await core.store.bindings(child.id);
  const removal = { ...toRemove, instanceId: child.id, bindingId: held?.binding.id ?? '' };
  await expect(broker.removeBinding(removal)).rejects.toMatchObject({
    code: 'conflict',
    message: "The service instance 'i1' needs this one by that binding, which goes when it is deleted.",
  });
  expect(await broker.overview.instance(child.id)).toMatchObject({
    bound: [{ state: 'bound', binding: { dependent: 'i1' } }],
  });
});

test('A binding for another instance that is there no more can be removed.', async () => {
  const { provisioner } = scripted({});
  const { broker } = coreInMemory(provisioner).broker();
  await broker.provision(toProvision());
  await broker.bind(toBind({ dependent: 'gone' }));
  expect(await broker.removeBinding(toRemove)).toMatchObject({ is: 'done' });
});

test('A platform that deletes an instance waits for the removal of a binding by an operator.', async () => {
  const mayEnd = gate();
  const { provisioner, deeds } = scripted({ unbind: () => mayEnd.passed.then(() => ({ done: {} })) });
  const { broker } = coreInMemory(provisioner).broker({ asyncPatience: 5000 });
  await broker.provision(toProvision());
  await broker.bind(toBind());
  const removed = broker.removeBinding(toRemove);
  while (!deeds().includes('unbind')) await new Promise(setImmediate);
  expect(await broker.overview.instance('i1')).toMatchObject({ bound: [{ state: 'unbinding' }] });
  const deleted = broker.deprovision(toDeprovision());
  mayEnd.open();
  expect(await Promise.all([removed, deleted])).toMatchObject([{ is: 'done' }, { is: 'done' }]);
});

test('A binding that has expired, and one that is being made, are shown as such.', async () => {
  const mayEnd = gate();
  const fleeting = aPlan({ making: { answer: { bindingLifetime: { expiresAfter: 60 } } } });
  const { provisioner } = scripted({
    bind: ({ binding }) => (binding?.id === 'b2' ? mayEnd.passed.then(() => ({ done: {} })) : { done: {} }),
  });
  const core = coreInMemory(provisioner, [fleeting]);
  const { broker } = core.broker({ asyncPatience: 5000 });
  await broker.provision(toProvision());
  await broker.bind(toBind());
  core.pass(60_000);
  const bound = broker.bind(toBind({ bindingId: 'b2' }));
  const states = async () => (await broker.overview.instance('i1')).bound.map(({ state }) => state);
  while ((await states()).length < 2) await new Promise(setImmediate);
  expect(await states()).toEqual(['expired', 'binding']);
  mayEnd.open();
  await bound;
  expect(await states()).toEqual(['expired', 'bound']);
});
