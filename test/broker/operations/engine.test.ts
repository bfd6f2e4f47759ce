import type { Store } from '../../../src/broker/store.ts';
import { aPlan, toDeprovision, toProvision } from '../fixtures.ts';
import { coreInMemory, gate, scripted, untilAborted } from '../core-in-memory.ts';
import { until } from '../../support/until.ts';

const soon = { acceptsIncomplete: true };
const failed = (word: string) => expect.objectContaining({ name: 'Failure', word });

describe('Patience', () => {
  test('What is quick is done within the request, also when the platform accepts incomplete work.', async () => {
    const { broker } = coreInMemory(scripted({}).provisioner).broker();
    expect(await broker.provision(toProvision(soon))).toMatchObject({ is: 'done', record: { ready: true } });
  });

  test('What is slow is accepted, goes on beside the request, and is then found done.', async () => {
    const slow = gate();
    const { provisioner } = scripted({ provision: () => slow.passed.then(() => ({ done: {} })) });
    const { broker } = coreInMemory(provisioner).broker();
    const outcome = await broker.provision(toProvision(soon));
    if (outcome.is !== 'accepted') throw new Error('The provision was not accepted');
    const { id } = outcome.operation;
    expect(await broker.provision(toProvision(soon))).toMatchObject({ is: 'accepted', operation: { id } });
    slow.open();
    expect(await broker.provision(toProvision())).toMatchObject({ is: 'unchanged', record: { ready: true } });
  });

  test('Several steps are taken within one request, each with the memo of the one before.', async () => {
    const { provisioner, asked } = scripted({
      provision: ({ memo }) =>
        memo === 2 ? { done: {} } : { again: { afterMs: 1, memo: memo === undefined ? 1 : 2 } },
    });
    const { broker } = coreInMemory(provisioner).broker();
    expect(await broker.provision(toProvision())).toMatchObject({ is: 'done' });
    expect(asked.map(({ work }) => work.memo)).toEqual([undefined, 1, 2]);
  });

  test('Steps that go on after the request are taken by a worker, when they are due.', async () => {
    const { provisioner, asked } = scripted({
      provision: ({ memo }) =>
        memo ? { done: {} } : { again: { afterMs: 60_000, memo: 'job-7', note: 'Started' } },
    });
    const core = coreInMemory(provisioner);
    const { broker, work } = core.broker();
    expect(await broker.provision(toProvision(soon))).toMatchObject({ is: 'accepted' });
    expect(await broker.lastOperation({ instanceId: 'i1' })).toMatchObject({
      operation: { note: 'Started' },
    });
    expect(await work.tick()).toBeGreaterThan(0);
    expect(asked).toHaveLength(1);
    core.pass(60_000);
    expect(await work.tick()).toBe(0);
    expect(asked[1]?.work.memo).toBe('job-7');
    expect(await broker.instance('i1')).toMatchObject({ ready: true });
  });

  test('What is let go just when its progress is written can be taken up as soon as it is due.', async () => {
    const { provisioner, deeds } = scripted({
      provision: ({ memo }) => (memo ? { done: {} } : { again: { afterMs: 1, memo: 1 } }),
    });
    const core = coreInMemory(provisioner);
    const atOnce = { ...core.store };
    const mayWrite = gate();
    const slowly: Pick<Store, 'postpone'> = {
      postpone: (...progress) => mayWrite.passed.then(() => atOnce.postpone(...progress)),
    };
    Object.assign(core.store, slowly);
    const { broker, work } = core.broker({ asyncPatience: 0 });
    expect(await broker.provision(toProvision(soon))).toMatchObject({ is: 'accepted' });
    mayWrite.open();
    await work.handOver();
    core.pass(1);
    await work.tick();
    expect(deeds()).toEqual(['provision', 'provision']);
  });

  test('A create that a synchronous request cannot wait for is given up and undone.', async () => {
    const { provisioner, deeds } = scripted({ provision: ({ signal }) => untilAborted(signal) });
    const { broker, work } = coreInMemory(provisioner).broker({ syncPatience: 20 });
    await expect(broker.provision(toProvision())).rejects.toThrow(failed('timeout'));
    while (deeds().length < 2) await work.tick();
    expect(deeds()).toEqual(['provision', 'deprovision']);
    expect(await broker.lastOperation({ instanceId: 'i1' })).toMatchObject({
      operation: { state: 'failed' },
    });
    expect(await broker.deprovision(toDeprovision())).toMatchObject({ is: 'done' });
    expect(await broker.deprovision(toDeprovision())).toEqual({ is: 'absent' });
  });

  test('A removal that a synchronous request cannot wait for goes on.', async () => {
    const slow = gate();
    const { provisioner } = scripted({ deprovision: () => slow.passed.then(() => ({ done: {} })) });
    const { broker } = coreInMemory(provisioner).broker({ syncPatience: 20 });
    await broker.provision(toProvision());
    await expect(broker.deprovision(toDeprovision())).rejects.toThrow(failed('timeout'));
    await expect(broker.deprovision(toDeprovision())).rejects.toMatchObject({ code: 'busy' });
    slow.open();
    const isGone = () => broker.deprovision(toDeprovision()).catch(() => undefined);
    expect((await until('the removal is done', isGone)).is).toMatch(/done|absent/);
  });

  test('A plan that is asynchronous only is refused to who cannot wait, and nothing is made.', async () => {
    const { provisioner, asked } = scripted({});
    const plan = aPlan({ making: { asyncRequired: ['provision'] } });
    const { broker } = coreInMemory(provisioner, [plan]).broker();
    await expect(broker.provision(toProvision())).rejects.toMatchObject({ code: 'async-required' });
    expect(asked).toEqual([]);
    expect(await broker.deprovision(toDeprovision())).toEqual({ is: 'absent' });
  });
});

describe('Several brokers', () => {
  test('A holder that lost its lease cannot complete; who took over completes.', async () => {
    const first = gate();
    let times = 0;
    const { provisioner } = scripted({
      async provision() {
        times += 1;
        if (times > 1) return { done: { facts: { made: { by: 'second' } } } };
        await first.passed;
        return { done: { facts: { made: { by: 'first' } } } };
      },
    });
    const core = coreInMemory(provisioner);
    const one = core.broker({ lease: 60_000 });
    await one.broker.provision(toProvision(soon));
    core.pass(60_001);
    const two = core.broker();
    expect(await two.work.tick()).toBe(0);
    first.open();
    await one.work.handOver();
    expect(await two.broker.instance('i1')).toMatchObject({
      confidential: { facts: { made: { by: 'second' } } },
    });
    expect(core.events).toContainEqual(expect.objectContaining({ type: 'operation-lost' }));
  });

  test('A heartbeat keeps a long step held, and a cancelled lease ends the step even when no hint arrives.', async () => {
    let told: AbortSignal | undefined;
    const { provisioner } = scripted({
      provision({ signal }) {
        told = signal;
        return untilAborted(signal);
      },
    });
    const core = coreInMemory(provisioner);
    const deaf = core.broker({ lease: 30 });
    deaf.work.onHint = () => undefined;
    await deaf.broker.provision(toProvision(soon));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(told?.aborted).toBe(false);
    expect(await core.store.claim('other', 1000)).toBeUndefined();
    await core.broker().broker.deprovision(toDeprovision(soon));
    await new Promise<void>((resolve) =>
      told?.aborted ? resolve() : told?.addEventListener('abort', () => resolve()),
    );
  });

  test('A holder that cannot reach the store ends its step when its lease must be over.', async () => {
    const { provisioner, asked } = scripted({ provision: ({ signal }) => untilAborted(signal) });
    const core = coreInMemory(provisioner);
    const cutOff = core.broker({ lease: 30 });
    await cutOff.broker.provision(toProvision(soon));
    core.store.renew = () => Promise.reject(new Error('no route to the database'));
    const signal = asked[0]?.work.signal;
    await new Promise<void>((resolve) =>
      signal?.aborted ? resolve() : signal?.addEventListener('abort', () => resolve()),
    );
    expect(signal?.reason).toBe('lost');
    expect(core.events).toContainEqual(
      expect.objectContaining({ type: 'trouble', doing: 'renewing a lease' }),
    );
  });

  test('At a shutdown running steps are ended and their operations taken up by others at once.', async () => {
    let calls = 0;
    const { provisioner } = scripted({
      provision: ({ signal }) => (++calls === 1 ? untilAborted(signal) : { done: {} }),
    });
    const core = coreInMemory(provisioner);
    const leaving = core.broker({ lease: 60_000 });
    await leaving.broker.provision(toProvision(soon));
    await leaving.work.handOver();
    const staying = core.broker();
    expect(await staying.work.tick()).toBe(0);
    expect(await staying.broker.instance('i1')).toMatchObject({ ready: true });
  });

  test('Before the hand-over there is rest: it waits also for what a request has begun and let go.', async () => {
    const slow = gate();
    const { provisioner } = scripted({ provision: () => slow.passed.then(() => ({ done: {} })) });
    const { broker, work } = coreInMemory(provisioner).broker({ asyncPatience: 0 });
    expect(await broker.provision(toProvision(soon))).toMatchObject({ is: 'accepted' });
    const rested = work.rest();
    slow.open();
    await rested;
    expect(await broker.instance('i1')).toMatchObject({ ready: true });
  });

  test('A request whose work is handed over at a shutdown is told to come again.', async () => {
    const { provisioner } = scripted({ provision: ({ signal }) => untilAborted(signal) });
    const { broker, work } = coreInMemory(provisioner).broker();
    const waiting = broker.provision(toProvision());
    await new Promise(setImmediate);
    await work.handOver();
    await expect(waiting).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('Of many equal requests at many brokers one makes the thing, and the others get the same.', async () => {
    const { provisioner, deeds } = scripted({ provision: () => ({ done: {} }) });
    const core = coreInMemory(provisioner);
    const brokers = Array.from({ length: 5 }, () => core.broker().broker);
    const tenTimes = brokers.flatMap((broker) => Array.from({ length: 10 }, () => broker));
    const outcomes = await Promise.all(tenTimes.map((broker) => broker.provision(toProvision())));
    expect(deeds()).toEqual(['provision']);
    expect(outcomes.filter((outcome) => outcome.is === 'done')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome.is === 'unchanged')).toHaveLength(49);
  });
});
