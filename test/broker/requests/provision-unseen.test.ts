import { Failure } from '../../../src/broker/errors.ts';
import type { Provisioner, Step, Made } from '../../../src/broker/provisioner.ts';
import { coreInMemory, scripted } from '../core-in-memory.ts';
import { aPlan, toProvision } from '../fixtures.ts';

/** What one write makes is written without a look, and looked at when it cannot be written. */

function looking(provisioner: Provisioner, plans = [aPlan()]) {
  const core = coreInMemory(provisioner, plans);
  let looks = 0;
  const store = {
    ...core.store,
    findInstance(id: string) {
      looks += 1;
      return core.store.findInstance(id);
    },
  };
  return { ...core, plans, looks: () => looks, ...core.broker({}, { store }) };
}

const inOneWrite = { selfContained: true };

function failing(): Step<Made> {
  throw new Failure('misconfigured', 'The service is not set up correctly.');
}

test('A new instance that one write makes is not looked for before', async () => {
  const { broker, looks, store } = looking(scripted({}, inOneWrite).provisioner);
  expect(await broker.provision(toProvision())).toMatchObject({ is: 'done', record: { ready: true } });
  expect(looks()).toBe(0);
  expect(await store.findInstance('i1')).toMatchObject({ instance: { id: 'i1', version: 1, ready: true } });
});

test('A new instance that takes more than one write is looked for before', async () => {
  const { broker, looks } = looking(scripted({}).provisioner);
  expect(await broker.provision(toProvision())).toMatchObject({ is: 'done' });
  expect(looks()).toBe(1);
});

test('An instance that is asked for again is found, and one with other attributes is refused', async () => {
  const { broker, store } = looking(scripted({}, inOneWrite).provisioner);
  await broker.provision(toProvision());
  expect(await broker.provision(toProvision())).toMatchObject({ is: 'unchanged', record: { id: 'i1' } });
  await expect(broker.provision(toProvision({ spaceGuid: 'another' }))).rejects.toMatchObject({
    code: 'conflict',
  });
  expect(await store.history('i1', 10)).toHaveLength(1);
});

test('An instance is found when it is asked for again, also when no such one could be made any more', async () => {
  const core = looking(scripted({}, inOneWrite).provisioner);
  await core.broker.provision(toProvision());
  core.plans.splice(0);
  expect(await core.broker.provision(toProvision())).toMatchObject({ is: 'unchanged' });
});

test('An instance is found when it is asked for again, also when the making of such a one fails by now', async () => {
  let makes = 0;
  const provision = () => ((makes += 1) === 1 ? { done: {} } : failing());
  const { broker, events } = looking(scripted({ provision }, inOneWrite).provisioner);
  await broker.provision(toProvision());
  expect(await broker.provision(toProvision())).toMatchObject({ is: 'unchanged' });
  expect(events.map(({ type }) => type)).not.toContain('step-failed');
});

test('A new instance whose making fails is told as failed, once', async () => {
  const { broker, events, store } = looking(scripted({ provision: failing }, inOneWrite).provisioner);
  await expect(broker.provision(toProvision())).rejects.toMatchObject({ word: 'misconfigured' });
  expect(events.filter(({ type }) => type === 'step-failed')).toHaveLength(1);
  expect(await store.findInstance('i1')).toBeUndefined();
});

test('Of two that ask for the same new instance at once, one makes it and the other finds it', async () => {
  const { broker, store } = looking(scripted({}, inOneWrite).provisioner);
  const outcomes = await Promise.all([broker.provision(toProvision()), broker.provision(toProvision())]);
  expect(outcomes.map(({ is }) => is).toSorted()).toEqual(['done', 'unchanged']);
  expect(await store.history('i1', 10)).toHaveLength(1);
});
