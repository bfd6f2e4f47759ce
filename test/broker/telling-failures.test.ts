import type { Outcome } from '../../src/broker/outcome.ts';
import { Failure } from '../../src/broker/errors.ts';
import { aPlan, toBind, toDeprovision, toProvision, toUnbind, toUpdate } from './fixtures.ts';
import { coreInMemory, gate, scripted } from './core-in-memory.ts';

/** How a failure is told does not hang on how soon it came (decisions 11 and 34). */

const later = { acceptsIncomplete: true, failsLater: true };
const sentence = 'There is no room.';
const fails = () => {
  throw new Failure('quota', sentence);
};

function operationOf(outcome: Outcome<unknown>): string {
  if (outcome.is !== 'accepted') throw new Error(`It was ${outcome.is}, and not accepted.`);
  return outcome.operation.id;
}

describe.each([
  ['something outside', false],
  ['nothing outside', true],
])('Of a provisioner that touches %s', (_what, selfContained) => {
  const able = { selfContained };

  test.each([
    ['provision', toProvision],
    ['update', toUpdate],
    ['deprovision', toDeprovision],
    ['bind', toBind],
    ['unbind', toUnbind],
  ] as const)('A %s that failed at once is accepted, and told by its operation.', async (kind, command) => {
    const { broker } = coreInMemory(scripted({ [kind]: fails }, able).provisioner).broker();
    if (kind !== 'provision') await broker.provision(toProvision());
    if (kind === 'unbind') await broker.bind(toBind());
    const change = kind === 'update' ? { parameters: { size: 2 } } : {};
    const ask = broker[kind] as (asked: object) => Promise<Outcome<unknown>>;
    const operationId = operationOf(await ask(command({ ...later, ...change } as object)));
    const bindingId = kind === 'bind' || kind === 'unbind' ? { bindingId: 'b1' } : {};
    expect(await broker.lastOperation({ instanceId: 'i1', ...bindingId, operationId })).toMatchObject({
      operation: { kind, state: 'failed', failure: { sentence } },
    });
  });

  test.each([
    ['does not accept incomplete work', { failsLater: true, acceptsIncomplete: false }],
    ['wants failures at once', { acceptsIncomplete: true }],
  ])('A failed bind is told at once to whoever %s.', async (_who, way) => {
    const { broker } = coreInMemory(scripted({ bind: fails }, able).provisioner).broker();
    await broker.provision(toProvision());
    await expect(broker.bind(toBind(way))).rejects.toMatchObject({ word: 'quota', message: sentence });
    await expect(broker.bind(toBind(way))).rejects.toMatchObject({ word: 'quota' });
  });

  test('A failed bind whose credentials cannot be fetched is told at once: nobody may be left to poll for it.', async () => {
    const plan = aPlan({ bindingsRetrievable: false });
    const { broker } = coreInMemory(scripted({ bind: fails }, able).provisioner, [plan]).broker();
    await broker.provision(toProvision());
    await expect(broker.bind(toBind(later))).rejects.toMatchObject({ word: 'quota' });
  });
});

test('What is refused is refused at once, whatever the platform accepts.', async () => {
  const { broker } = coreInMemory(scripted({}).provisioner).broker();
  await expect(broker.provision(toProvision({ ...later, planId: 'unknown' }))).rejects.toMatchObject({
    code: 'invalid',
  });
});

describe('A failure that nobody has been told yet', () => {
  const instanceId = 'i1';

  test('A failure that nobody has been told yet is what the same create is answered with, by all brokers, until one has told it; then it starts anew.', async () => {
    const core = coreInMemory(scripted({ provision: fails }).provisioner);
    const [one, two] = [core.broker().broker, core.broker().broker];
    const first = operationOf(await one.provision(toProvision(later)));
    const repeated = await Promise.all([one, two, one].map((each) => each.provision(toProvision(later))));
    expect(repeated.map(operationOf)).toEqual([first, first, first]);
    expect(await two.lastOperation({ instanceId, operationId: first })).toMatchObject({
      operation: { state: 'failed' },
    });
    const anew = await Promise.all([one, two].map((each) => each.provision(toProvision(later))));
    const [second] = anew.map(operationOf);
    expect(anew.map(operationOf)).toEqual([second, second]);
    expect(second).not.toBe(first);
    expect(await one.lastOperation({ instanceId, operationId: first })).toMatchObject({
      operation: { state: 'failed' },
    });
  });

  test('A failure that nobody has been told yet is told to who polls without a name for it, too.', async () => {
    const { broker } = coreInMemory(scripted({ provision: fails }).provisioner).broker();
    const first = operationOf(await broker.provision(toProvision(later)));
    await broker.lastOperation({ instanceId });
    expect(operationOf(await broker.provision(toProvision(later)))).not.toBe(first);
  });

  test('A failure that nobody has been told yet hinders nobody who asks for something else, or wants the end at once.', async () => {
    const { broker } = coreInMemory(scripted({ provision: fails }).provisioner).broker();
    const first = operationOf(await broker.provision(toProvision(later)));
    await expect(broker.provision(toProvision({ ...later, parameters: { a: 1 } }))).rejects.toMatchObject({
      code: 'conflict',
    });
    await expect(broker.provision(toProvision())).rejects.toMatchObject({ word: 'quota' });
    // That one was told in its answer.
    expect(operationOf(await broker.provision(toProvision(later)))).not.toBe(first);
    expect(await broker.deprovision(toDeprovision(later))).toMatchObject({ is: 'done' });
    expect(await broker.lastOperation({ instanceId, operationId: first })).toMatchObject({
      operation: { state: 'failed' },
    });
  });

  test('A failure that nobody has been told yet is told by a removal, a bind and an unbind that are repeated before each poll, as well.', async () => {
    const script = { deprovision: fails, bind: fails };
    const { broker } = coreInMemory(scripted(script).provisioner).broker();
    await broker.provision(toProvision());
    const bindingId = 'b1';
    const bound = operationOf(await broker.bind(toBind(later)));
    expect(operationOf(await broker.bind(toBind(later)))).toBe(bound);
    await broker.lastOperation({ instanceId, bindingId, operationId: bound });
    expect(operationOf(await broker.bind(toBind(later)))).not.toBe(bound);
    const removed = operationOf(await broker.deprovision(toDeprovision(later)));
    expect(operationOf(await broker.deprovision(toDeprovision(later)))).toBe(removed);
    await broker.lastOperation({ instanceId, operationId: removed });
    expect(operationOf(await broker.deprovision(toDeprovision(later)))).not.toBe(removed);
  });
});

test('A removal that took its time is told as succeeded to who names it, and as gone to all others.', async () => {
  const slow = gate();
  const { provisioner } = scripted({ deprovision: () => slow.passed.then(() => ({ done: {} })) });
  const { broker, work } = coreInMemory(provisioner).broker();
  await broker.provision(toProvision());
  const operationId = operationOf(await broker.deprovision(toDeprovision(later)));
  slow.open();
  await work.handOver();
  while (await broker.instance('i1').catch(() => undefined)) await work.tick();
  const named = { instanceId: 'i1', operationId };
  expect(await broker.lastOperation(named)).toMatchObject({ operation: { state: 'succeeded' } });
  expect(await broker.lastOperation({ instanceId: 'i1' })).toBe('gone');
  expect(await broker.lastOperation({ instanceId: 'i1', operationId: 'unknown' })).toBe('gone');
  expect(await broker.deprovision(toDeprovision(later))).toEqual({ is: 'absent' });
});
