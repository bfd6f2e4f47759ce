import { Failure } from '../../src/broker/errors.ts';
import { coreInMemory, scripted } from './core-in-memory.ts';
import { aPlan, toBind, toDeprovision, toOperate, toProvision, toUnbind, toUpdate } from './fixtures.ts';

/** What is deleted by a plan that keeps it is gone for its platform, and comes back by an operator, or goes for good. */

const week = 7 * 86_400_000;
const origin = { protocol: 'test' };
const done = () => ({ done: {} });

function keepingCore(script: Parameters<typeof scripted>[0] = { stop: done, start: done }) {
  const made = scripted(script);
  const core = coreInMemory(made.provisioner, [aPlan({ keepDeleted: week })]);
  return { ...made, core, ...core.broker() };
}

test('A deleted instance is stopped and unbound, and is gone for its platform, although it is there', async () => {
  const { broker, core, deeds } = keepingCore();
  await broker.provision(toProvision());
  await broker.bind(toBind());
  expect(await broker.deprovision(toDeprovision())).toMatchObject({ is: 'done' });
  expect(deeds()).toEqual(['provision', 'bind', 'unbind', 'stop']);
  const gone = { code: 'not-found' };
  await expect(broker.instance('i1')).rejects.toMatchObject(gone);
  await expect(broker.update(toUpdate())).rejects.toMatchObject(gone);
  await expect(broker.bind(toBind())).rejects.toMatchObject(gone);
  await expect(broker.start(toOperate())).rejects.toMatchObject(gone);
  expect(await broker.unbind(toUnbind())).toEqual({ is: 'absent' });
  expect(await broker.deprovision(toDeprovision())).toEqual({ is: 'absent' });
  expect(await broker.lastOperation({ instanceId: 'i1' })).toBe('gone');
  await expect(broker.provision(toProvision())).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('was deleted, and is kept until') as string,
  });
  expect(await broker.overview.instances({ state: 'deleted', limit: 9 })).toMatchObject([
    { instance: { id: 'i1', stopped: true }, state: 'deleted', bindings: 0 },
  ]);
  expect(await core.store.listUses({ offeringId: 'cache' }, 'total', 9)).toMatchObject([{ instances: 1 }]);
});

test('Operators see that a deleted instance has been stopped, and nothing starts it again', async () => {
  let alive = true;
  const inspect = async () => [{ unit: 'main', alive, answer: 'ready' as const }];
  const { broker, checks, deeds } = keepingCore({ stop: done, start: done, restart: done, inspect });
  await broker.provision(toProvision());
  const look = async () => {
    const taken = await checks.take();
    if ('ended' in taken) await taken.ended;
  };
  await look();
  alive = false;
  await broker.deprovision(toDeprovision());
  await look();
  expect(await broker.overview.instance('i1')).toMatchObject({
    state: 'deleted',
    status: { status: 'stopped', reason: 'it has been stopped' },
  });
  expect(deeds()).toEqual(['provision', 'stop']);
});

test('An operator brings a deleted instance back, and it is started and can be bound again', async () => {
  const { broker, deeds, core } = keepingCore();
  await broker.provision(toProvision());
  await broker.deprovision(toDeprovision());
  await broker.undeleteInstance({ instanceId: 'i1', origin });
  expect(deeds()).toEqual(['provision', 'stop', 'start']);
  await broker.bind(toBind());
  await expect(broker.undeleteInstance({ instanceId: 'i1', origin })).rejects.toMatchObject({
    code: 'conflict',
    message: 'The service instance has not been deleted.',
  });
  core.pass(2 * week);
  expect(await core.store.keptEnough(9)).toEqual([]);
});

test('What was kept long enough is removed once, by whichever broker looks first', async () => {
  const { broker, work, core, deeds } = keepingCore();
  const other = core.broker();
  await broker.provision(toProvision());
  await broker.deprovision(toDeprovision());
  for (const one of [work, other.work]) while ((await one.tick()) === 0);
  expect(deeds()).not.toContain('deprovision');
  core.pass(week + 1000);
  await Promise.all([work.tick(), other.work.tick()]);
  for (const one of [work, other.work]) while ((await one.tick()) === 0);
  expect(deeds().filter((deed) => deed === 'deprovision')).toHaveLength(1);
  expect(await core.store.list({ instanceId: 'i1', limit: 1 })).toEqual([]);
  await broker.provision(toProvision());
});

test('What is brought back at the moment of its removal stays', async () => {
  const { broker, core, deeds, work } = keepingCore();
  await broker.provision(toProvision());
  await broker.deprovision(toDeprovision());
  core.pass(week + 1000);
  const findInstance = core.store.findInstance.bind(core.store);
  core.store.findInstance = async (instanceId) => {
    const found = await findInstance(instanceId);
    core.store.findInstance = findInstance;
    await broker.undeleteInstance({ instanceId, origin });
    return found;
  };
  while ((await work.tick()) === 0);
  expect(deeds()).toEqual(['provision', 'stop', 'start']);
  expect(await broker.instance('i1')).toMatchObject({ id: 'i1' });
});

test('An operator who deletes what was deleted removes it for good, and one who protects it keeps it', async () => {
  const { broker, core, deeds, work } = keepingCore();
  await broker.provision(toProvision());
  await broker.removeInstance(toOperate());
  await broker.protectInstance({ instanceId: 'i1', protects: true, origin });
  core.pass(2 * week);
  while ((await work.tick()) === 0);
  expect(deeds()).not.toContain('deprovision');
  await broker.protectInstance({ instanceId: 'i1', protects: false, origin });
  expect(await broker.removeInstance(toOperate())).toMatchObject({ is: 'done' });
  expect(deeds().at(-1)).toBe('deprovision');
  await expect(broker.removeInstance(toOperate())).rejects.toMatchObject({ code: 'not-found' });
});

test('Nothing is kept whose bindings cannot be revoked: its deletion fails, and it stays', async () => {
  const unbind = () => {
    throw new Failure('broken', 'It would not go.');
  };
  const { broker } = keepingCore({ unbind });
  await broker.provision(toProvision());
  await broker.bind(toBind());
  await expect(broker.deprovision(toDeprovision())).rejects.toMatchObject({ message: 'It would not go.' });
  expect(await broker.instance('i1')).toMatchObject({ id: 'i1' });
});
