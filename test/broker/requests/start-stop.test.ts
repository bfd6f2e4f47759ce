import { Failure } from '../../../src/broker/errors.ts';
import type { Operation } from '../../../src/broker/records.ts';
import { aPlan, toBind, toDeprovision, toOperate, toProvision, toUnbind, toUpdate } from '../fixtures.ts';
import { coreInMemory, gate, scripted, untilAborted, type CoreInMemory } from '../core-in-memory.ts';

/** Starting, stopping and restarting, and what becomes of other requests meanwhile. */

const soon = { acceptsIncomplete: true };
const done = () => ({ done: {} });

async function anInstanceWith(script: Parameters<typeof scripted>[0], plans = [aPlan()]) {
  const { provisioner, asked, deeds } = scripted(script);
  const core = coreInMemory(provisioner, plans);
  const { broker, work } = core.broker();
  await broker.provision(toProvision());
  return { core, broker, work, asked, deeds };
}

async function latest(core: CoreInMemory): Promise<Operation | undefined> {
  return (await core.store.history('i1', 1))[0];
}

test('A stop of all units puts the instance to rest, a start or restart of all ends that.', async () => {
  const { broker, deeds } = await anInstanceWith({ start: done, stop: done, restart: done });
  for (const [deed, stopped] of [
    ['stop', true],
    ['stop', true],
    ['start', false],
    ['start', false],
    ['stop', true],
    ['restart', false],
  ] as const) {
    expect(await broker[deed](toOperate())).toMatchObject({ is: 'done', record: { stopped } });
    expect(await broker.instance('i1')).toMatchObject({ stopped });
  }
  expect(deeds()).toEqual(['provision', 'stop', 'stop', 'start', 'start', 'stop', 'restart']);
});

test('What single units are told leaves the wish for the whole as it is, and only they are named.', async () => {
  const { broker, asked } = await anInstanceWith({ start: done, stop: done, restart: done });
  const units = ['web'];
  expect(await broker.stop(toOperate({ units }))).toMatchObject({ is: 'done', record: { id: 'i1' } });
  expect((await broker.instance('i1')).stopped ?? false).toBe(false);
  await broker.stop(toOperate());
  await broker.start(toOperate({ units }));
  await broker.restart(toOperate({ units }));
  expect(await broker.instance('i1')).toMatchObject({ stopped: true });
  expect(asked.map(({ work }) => work.units)).toEqual([undefined, units, undefined, units, units]);
});

test('Which single units shall be at rest is remembered, until they or all are started again.', async () => {
  const { broker } = await anInstanceWith({ start: done, stop: done, restart: done });
  const resting = async () => (await broker.instance('i1')).stoppedUnits;
  await broker.stop(toOperate({ units: ['web'] }));
  await broker.stop(toOperate({ units: ['job', 'web'] }));
  expect(await resting()).toEqual(['job', 'web']);
  await broker.start(toOperate({ units: ['web', 'db'] }));
  expect(await resting()).toEqual(['job']);
  await broker.restart(toOperate({ units: ['job'] }));
  expect(await resting()).toBeUndefined();
  for (const deed of ['start', 'restart', 'stop'] as const) {
    await broker.stop(toOperate({ units: ['web'] }));
    await broker[deed](toOperate());
    expect(await resting()).toBeUndefined();
  }
});

test('A stop of single units that fails has put none of them to rest.', async () => {
  const stop = () => {
    throw new Failure('stuck', 'It does not end.');
  };
  const { broker } = await anInstanceWith({ start: done, stop });
  await expect(broker.stop(toOperate({ units: ['web'] }))).rejects.toThrow('It does not end.');
  expect(await broker.instance('i1')).not.toHaveProperty('stoppedUnits');
});

test('To name no unit at all is refused, and so is what the provisioner cannot do.', async () => {
  const { broker, deeds } = await anInstanceWith({ stop: done });
  await expect(broker.stop(toOperate({ units: [] }))).rejects.toMatchObject({
    code: 'invalid',
    field: 'units',
  });
  await expect(broker.start(toOperate())).rejects.toMatchObject({
    code: 'unsupported',
    message: "Instances of the plan 'small' cannot be started.",
  });
  await expect(broker.restart(toOperate())).rejects.toMatchObject({ code: 'unsupported' });
  expect(deeds()).toEqual(['provision']);
});

test('A restart is an operation like others: its steps go on beside the request, and a worker takes them.', async () => {
  const { core, broker, work, asked } = await anInstanceWith({
    restart: ({ memo }) => (memo ? { done: {} } : { again: { afterMs: 60_000, memo: 'stopped' } }),
  });
  const outcome = await broker.restart(toOperate(soon));
  expect(outcome).toMatchObject({ is: 'accepted', operation: { kind: 'restart' } });
  if (outcome.is !== 'accepted') throw new Error('The restart was not accepted');
  const { id } = outcome.operation;
  expect(await broker.restart(toOperate(soon))).toMatchObject({ is: 'accepted', operation: { id } });
  await expect(broker.stop(toOperate(soon))).rejects.toMatchObject({ code: 'busy' });
  core.pass(60_000);
  expect(await work.tick()).toBe(0);
  expect(asked.at(-1)?.work.memo).toBe('stopped');
  const operationId = id;
  expect(await broker.lastOperation({ instanceId: 'i1', operationId })).toMatchObject({
    operation: { kind: 'restart', state: 'succeeded' },
  });
  expect(await broker.lastOperation({ instanceId: 'i1' })).toMatchObject({
    operation: { kind: 'provision' },
  });
});

test('A start or stop that fails is not undone: the instance stays, and its wish is what it was.', async () => {
  const { core, broker, deeds } = await anInstanceWith({
    stop() {
      throw new Failure('stuck', 'The unit cannot be ended.');
    },
    restart() {
      throw new Failure('unknown-unit', "There is no unit 'web'.");
    },
  });
  await expect(broker.stop(toOperate())).rejects.toThrow('The unit cannot be ended.');
  await expect(broker.restart(toOperate({ units: ['web'] }))).rejects.toThrow("There is no unit 'web'.");
  expect(deeds()).toEqual(['provision', 'stop', 'restart']);
  expect(await latest(core)).toMatchObject({ kind: 'restart', state: 'failed' });
  expect((await broker.instance('i1')).stopped ?? false).toBe(false);
});

test('A start or stop that a synchronous request cannot wait for goes on.', async () => {
  const slow = gate();
  const { provisioner } = scripted({ stop: () => slow.passed.then(done) });
  const { broker, work } = coreInMemory(provisioner).broker({ syncPatience: 20 });
  await broker.provision(toProvision());
  await expect(broker.stop(toOperate())).rejects.toThrow('It goes on.');
  slow.open();
  await work.rest();
  expect(await broker.instance('i1')).toMatchObject({ stopped: true });
});

describe.each(['start', 'stop', 'restart'] as const)('During a %s', (deed) => {
  test('While it starts or stops an instance can be read and provisioned again, but neither bound, unbound nor updated.', async () => {
    const slow = gate();
    const { broker, work } = await anInstanceWith({ [deed]: () => slow.passed.then(done) });
    await broker.bind(toBind());
    expect(await broker[deed](toOperate(soon))).toMatchObject({ is: 'accepted' });
    expect(await broker.instance('i1')).toMatchObject({ ready: true });
    expect(await broker.provision(toProvision())).toMatchObject({ is: 'unchanged' });
    await expect(broker.bind(toBind({ bindingId: 'b2' }))).rejects.toMatchObject({ code: 'occupied' });
    await expect(broker.unbind(toUnbind())).rejects.toMatchObject({ code: 'occupied' });
    await expect(broker.update(toUpdate({ parameters: { a: 1 } }))).rejects.toMatchObject({
      code: 'occupied',
    });
    slow.open();
    await work.rest();
    expect(await broker.unbind(toUnbind())).toMatchObject({ is: 'done' });
  });

  test('A deprovision ends a start or a stop and removes the instance, whatever its step was doing.', async () => {
    const { core, broker, work, asked, deeds } = await anInstanceWith({
      [deed]: ({ signal, memo }: { signal: AbortSignal; memo?: unknown }) =>
        memo ? untilAborted(signal) : { again: { afterMs: 0, memo: { half: 'way' } } },
    });
    const operated = await broker[deed](toOperate(soon));
    expect(operated).toMatchObject({ is: 'accepted' });
    expect(await broker.deprovision(toDeprovision(soon))).toMatchObject({ is: 'accepted' });
    while (!deeds().includes('deprovision')) {
      await work.tick();
      await new Promise(setImmediate);
    }
    // What it had reached says nothing of how the instance was made.
    expect(asked.at(-1)).toMatchObject({ work: expect.not.objectContaining({ trace: expect.anything() }) });
    expect(await broker.deprovision(toDeprovision())).toEqual({ is: 'absent' });
    const [removed, cancelled] = await core.store.history('i1', 2);
    expect(removed).toMatchObject({ kind: 'deprovision', state: 'succeeded', follows: cancelled?.id });
    expect(cancelled).toMatchObject({ kind: deed, state: 'failed', failure: { word: 'cancelled' } });
  });
});

describe.each(['bind', 'unbind'] as const)('During a %s', (deed) => {
  test.each(['start', 'stop', 'restart'] as const)(
    'During a bind or an unbind a %s of its instance is refused, whoever asks, and possible as soon as that has ended.',
    async (operating) => {
      const slow = gate();
      const { broker, work, deeds } = await anInstanceWith({
        start: done,
        stop: done,
        restart: done,
        [deed]: () => slow.passed.then(done),
      });
      if (deed === 'unbind') await broker.bind(toBind());
      const asked = deed === 'bind' ? broker.bind(toBind(soon)) : broker.unbind(toUnbind(soon));
      expect(await asked).toMatchObject({ is: 'accepted' });
      for (const protocol of ['operator', 'monitor'])
        await expect(broker[operating](toOperate({ origin: { protocol } }))).rejects.toMatchObject({
          code: 'busy',
        });
      expect(deeds()).not.toContain(operating);
      slow.open();
      await work.rest();
      expect(await broker[operating](toOperate())).toMatchObject({ is: 'done' });
    },
  );
});

test('Of many who want a restart at once one is carried out, and all get its end.', async () => {
  const { broker, deeds } = await anInstanceWith({
    restart: ({ memo }) => (memo ? { done: {} } : { again: { afterMs: 5, memo: 1 } }),
  });
  const outcomes = await Promise.all(Array.from({ length: 5 }, () => broker.restart(toOperate())));
  expect(outcomes.map(({ is }) => is)).toEqual(outcomes.map(() => 'done'));
  expect(deeds()).toEqual(['provision', 'restart', 'restart']);
});

describe('Looking after it', () => {
  test('An instance with units is looked at as often as its plan says, one without never.', async () => {
    const plan = aPlan({ operating: { monitor: { every: 7000, restart: 3, within: 600_000 } } });
    const { broker } = await anInstanceWith({ restart: done }, [plan]);
    expect(await broker.instance('i1')).toMatchObject({ checkEvery: 7000 });
    const none = await anInstanceWith({}, [plan]);
    expect(await none.broker.instance('i1')).not.toHaveProperty('checkEvery');
  });

  test('After an update it is looked at as often as the new plan says.', async () => {
    const often = { monitor: { every: 1000, restart: 3, within: 600_000 } };
    const { broker } = await anInstanceWith({ restart: done }, [
      aPlan(),
      aPlan({ id: 'large', operating: often }),
    ]);
    await broker.update(toUpdate({ planId: 'large' }));
    expect(await broker.instance('i1')).toMatchObject({ checkEvery: 1000 });
  });
});

test('Names that are short and fit for files and databases are given to templates.', async () => {
  const { broker, asked } = await anInstanceWith({});
  await broker.bind(toBind());
  const short = expect.stringMatching(/^[a-z][0-9a-z]{1,30}$/);
  expect(asked.at(-1)?.work.values).toMatchObject({ instance: { key: short }, binding: { key: short } });
});

test('For whom an instance is made, and for whom it is bound, is remembered.', async () => {
  const { core, broker } = await anInstanceWith({});
  await broker.provision(toProvision({ instanceId: 'i2', parent: 'i1' }));
  await broker.bind(toBind({ instanceId: 'i2', dependent: 'i1' }));
  const { found, binding } = await core.store.findBinding('i2', 'b1');
  expect([found?.instance.parent, binding?.dependent]).toEqual(['i1', 'i1']);
});
