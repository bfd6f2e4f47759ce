import type { Adopt } from '../../src/broker/commands.ts';
import { Failure } from '../../src/broker/errors.ts';
import { keyOf } from '../../src/broker/key.ts';
import type { Made, Provisioner, Step, Work } from '../../src/broker/provisioner.ts';
import { until } from '../support/until.ts';
import { coreInMemory, gate, scripted, untilAborted } from './core-in-memory.ts';
import { toProvision } from './fixtures.ts';

/** What exists already becomes an instance, by a provisioner that says what a test tells it. */

const orphan = keyOf('a former life');
const made = { done: { facts: { place: 'there' } }, did: { step: 'adopt' } };

function begin(adopt: (work: Work) => Promise<Step<Made>> | Step<Made>) {
  const { provisioner, deeds } = scripted({});
  const asked: Work[] = [];
  const adopting: Provisioner = {
    ...provisioner,
    async adopt(work) {
      asked.push(work);
      return adopt(work);
    },
    inventory: async () => [{ name: `box ${orphan}`, key: orphan }],
  };
  const core = coreInMemory(adopting);
  return { core, asked, deeds, ...core.broker() };
}

const command: Adopt = {
  instanceId: 'i1',
  thing: 'box of old',
  offering: 'cache',
  plan: 'small',
  parameters: {},
  origin: { protocol: 'operator', principal: 'ops' },
  acceptsIncomplete: false,
};

test('A thing becomes an instance by the name or id of its plan, and is unchanged when it is adopted again.', async () => {
  const { broker, asked, core } = begin(() => made);
  expect(await broker.adopt(command)).toMatchObject({ is: 'done', record: { id: 'i1', ready: true } });
  expect(asked[0]).toMatchObject({ adopts: 'box of old' });
  expect(await broker.adopt(command)).toMatchObject({ is: 'unchanged' });
  expect(asked).toHaveLength(1);
  expect(await core.store.findInstance('i1')).toMatchObject({
    instance: { planId: 'small', confidential: { facts: { place: 'there' } } },
  });
  const { offeringId, planId } = toProvision();
  expect(await broker.bind({ ...toProvision(), offeringId, planId, bindingId: 'b1' })).toMatchObject({
    is: 'done',
  });
});

test('An orphan is adopted with the key that it has, and one that an instance stands for is refused.', async () => {
  const { broker, core } = begin(() => made);
  const thing = `box ${orphan}`;
  await broker.adopt({ ...command, thing });
  expect(await core.store.findInstance('i1')).toMatchObject({ instance: { key: orphan } });
  await expect(broker.adopt({ ...command, thing, instanceId: 'i2' })).rejects.toMatchObject({
    code: 'conflict',
    message: `${thing} belongs to a service instance already.`,
  });
  await expect(broker.adopt(command)).rejects.toMatchObject({ code: 'conflict' });
});

test('One thing that two ask for at once under two ids becomes one instance, and the other one is refused.', async () => {
  const { open, passed } = gate();
  const { core, asked, ...first } = begin(() => passed.then(() => made));
  const other = core.broker();
  const both = Promise.allSettled([
    first.broker.adopt(command),
    other.broker.adopt({ ...command, instanceId: 'i2' }),
  ]);
  await until('one has begun', () => asked.length > 0);
  open();
  const results = await both;
  expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(asked).toHaveLength(1);
});

test('What could not be adopted is no instance and is not touched again, whether it failed or was cancelled.', async () => {
  let fails = true;
  const { broker, core, asked, deeds } = begin(({ signal }) => {
    if (fails) throw new Failure('gone', 'There is no such box.');
    return untilAborted(signal);
  });
  await expect(broker.adopt(command)).rejects.toMatchObject({ message: 'There is no such box.' });
  expect(await core.store.findInstance('i1')).toBeUndefined();
  fails = false;
  const begun = await broker.adopt({ ...command, acceptsIncomplete: true });
  if (begun.is !== 'accepted') throw new Error('It has ended already.');
  await until('it has begun', () => asked.length > 1);
  await expect(broker.provision(toProvision())).rejects.toMatchObject({});
  await broker.cancelOperation({ operationId: begun.operation.id, origin: command.origin });
  await until('it is no instance', async () => !(await core.store.findInstance('i1')));
  expect(deeds()).toEqual([]);
  await expect(
    broker.retryOperation({ operationId: begun.operation.id, origin: command.origin }),
  ).rejects.toMatchObject({ code: 'conflict' });
});

test('A broker that takes over from one that died in the middle of an adoption goes on with it.', async () => {
  const { core, broker, asked } = begin(({ signal }) => (core.passed() > 0 ? made : untilAborted(signal)));
  const begun = await broker.adopt({ ...command, acceptsIncomplete: true });
  expect(begun.is).toBe('accepted');
  core.pass(60_000);
  const other = core.broker();
  await until('it is adopted', async () => {
    await other.work.tick();
    return (await core.store.findInstance('i1'))?.instance.ready === true;
  });
  expect(asked.at(-1)).toMatchObject({ adopts: 'box of old', instance: { key: asked[0]?.instance.key } });
});

test('What is to be removed is not adopted, nor is anything as an offering or plan that there is not.', async () => {
  const { broker, core, lookAround } = begin(() => made);
  await lookAround();
  core.pass(400_000);
  await lookAround();
  await core.orphans.approveRemoval({ provisioner: 'scripted' }, `box ${orphan}`);
  await expect(broker.adopt({ ...command, thing: `box ${orphan}` })).rejects.toThrow('is to be removed');
  await expect(broker.adopt({ ...command, offering: 'cash' })).rejects.toMatchObject({ field: 'offering' });
  await expect(broker.adopt({ ...command, plan: 'tiny' })).rejects.toMatchObject({ field: 'plan' });
  const bare = coreInMemory(scripted({}).provisioner).broker();
  await expect(bare.broker.adopt(command)).rejects.toMatchObject({ code: 'unsupported' });
});
