import { Failure } from '../../../src/broker/errors.ts';
import type { JsonObject } from '../../../src/broker/json.ts';
import type { Work } from '../../../src/broker/provisioner.ts';
import type { Store } from '../../../src/broker/store.ts';
import { aPlan, toBind, toDeprovision, toProvision, toUnbind, toUpdate } from '../fixtures.ts';
import { aWorld, gate, scripted, untilAborted } from '../core-in-memory.ts';

const soon = { acceptsIncomplete: true };
const failed = (word: string) => expect.objectContaining({ name: 'Failure', word });

describe('Patience', () => {
  test('What is quick is done within the request, also when the platform accepts incomplete work.', async () => {
    const { broker } = aWorld(scripted({}).provisioner).broker();
    expect(await broker.provision(toProvision(soon))).toMatchObject({ is: 'done', record: { ready: true } });
  });

  test('What is slow is accepted, goes on beside the request, and is then found done.', async () => {
    const slow = gate();
    const { provisioner } = scripted({ provision: () => slow.passed.then(() => ({ done: {} })) });
    const { broker } = aWorld(provisioner).broker();
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
    const { broker } = aWorld(provisioner).broker();
    expect(await broker.provision(toProvision())).toMatchObject({ is: 'done' });
    expect(asked.map(({ work }) => work.memo)).toEqual([undefined, 1, 2]);
  });

  test('Steps that go on after the request are taken by a worker, when they are due.', async () => {
    const { provisioner, asked } = scripted({
      provision: ({ memo }) =>
        memo ? { done: {} } : { again: { afterMs: 60_000, memo: 'job-7', note: 'Started' } },
    });
    const world = aWorld(provisioner);
    const { broker, work } = world.broker();
    expect(await broker.provision(toProvision(soon))).toMatchObject({ is: 'accepted' });
    expect(await broker.lastOperation({ instanceId: 'i1' })).toMatchObject({
      operation: { note: 'Started' },
    });
    expect(await work.tick()).toBeGreaterThan(0);
    expect(asked).toHaveLength(1);
    world.pass(60_000);
    expect(await work.tick()).toBe(0);
    expect(asked[1]?.work.memo).toBe('job-7');
    expect(await broker.instance('i1')).toMatchObject({ ready: true });
  });

  test('What is let go just when its progress is written can be taken up as soon as it is due.', async () => {
    const { provisioner, deeds } = scripted({
      provision: ({ memo }) => (memo ? { done: {} } : { again: { afterMs: 1, memo: 1 } }),
    });
    const world = aWorld(provisioner);
    const atOnce = { ...world.store };
    const mayWrite = gate();
    const slowly: Pick<Store, 'postpone'> = {
      postpone: (...progress) => mayWrite.passed.then(() => atOnce.postpone(...progress)),
    };
    Object.assign(world.store, slowly);
    const { broker, work } = world.broker({ asyncPatience: 0 });
    expect(await broker.provision(toProvision(soon))).toMatchObject({ is: 'accepted' });
    mayWrite.open();
    await work.handOver();
    world.pass(1);
    await work.tick();
    expect(deeds()).toEqual(['provision', 'provision']);
  });

  test('A create that a synchronous request cannot wait for is given up and undone.', async () => {
    const { provisioner, deeds } = scripted({ provision: ({ signal }) => untilAborted(signal) });
    const { broker, work } = aWorld(provisioner).broker({ syncPatience: 20 });
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
    const { broker } = aWorld(provisioner).broker({ syncPatience: 20 });
    await broker.provision(toProvision());
    await expect(broker.deprovision(toDeprovision())).rejects.toThrow(failed('timeout'));
    await expect(broker.deprovision(toDeprovision())).rejects.toMatchObject({ code: 'busy' });
    slow.open();
    await expect(broker.deprovision(toDeprovision())).resolves.toMatchObject({
      is: expect.stringMatching(/done|absent/),
    });
  });

  test('A plan that is asynchronous only is refused to who cannot wait, and nothing is made.', async () => {
    const { provisioner, asked } = scripted({});
    const plan = aPlan({ making: { asyncRequired: ['provision'] } });
    const { broker } = aWorld(provisioner, [plan]).broker();
    await expect(broker.provision(toProvision())).rejects.toMatchObject({ code: 'async-required' });
    expect(asked).toEqual([]);
    expect(await broker.deprovision(toDeprovision())).toEqual({ is: 'absent' });
  });
});

describe('Failure', () => {
  test('What fails for good is undone before it is told, and can then be deleted or tried again.', async () => {
    let times = 0;
    const { provisioner, deeds } = scripted({
      provision() {
        if (++times === 1) throw new Failure('quota', 'There is no room for this plan.');
        return { done: {} };
      },
    });
    const { broker } = aWorld(provisioner).broker();
    await expect(broker.provision(toProvision())).rejects.toThrow(
      new Failure('quota', 'There is no room for this plan.'),
    );
    expect(deeds()).toEqual(['provision', 'deprovision']);
    expect(await broker.lastOperation({ instanceId: 'i1' })).toMatchObject({
      operation: { state: 'failed', failure: { word: 'quota', sentence: 'There is no room for this plan.' } },
    });
    await expect(broker.instance('i1')).rejects.toMatchObject({ code: 'not-found' });
    expect(await broker.provision(toProvision())).toMatchObject({ is: 'done' });
  });

  test('The undoing knows the memo that the create had reached.', async () => {
    const { provisioner, asked } = scripted({
      provision({ memo }) {
        if (memo === undefined) return { again: { afterMs: 0, memo: { job: 7 } } };
        throw new Failure('job', 'The job failed.');
      },
    });
    const { broker } = aWorld(provisioner).broker();
    await expect(broker.provision(toProvision())).rejects.toThrow('The job failed.');
    expect(asked.at(-1)).toMatchObject({ deed: 'deprovision', work: { trace: { job: 7 } } });
    expect(asked.at(-1)?.work.memo).toBeUndefined();
  });

  test('Anything else that a step throws is tried again with growing pauses, until it works.', async () => {
    let times = 0;
    const { provisioner } = scripted({
      provision() {
        if (++times <= 3) throw new Error('connection refused');
        return { done: {} };
      },
    });
    const world = aWorld(provisioner);
    const { broker, work } = world.broker();
    await broker.provision(toProvision(soon));
    for (const pause of [1000, 2000, 4000]) {
      await work.tick();
      expect(world.events.at(-1)).toMatchObject({
        type: 'step-failed',
        retryMs: pause,
        detail: 'Error: connection refused',
      });
      world.pass(pause);
    }
    expect(await work.tick()).toBe(0);
    expect(await broker.instance('i1')).toMatchObject({ ready: true });
  });

  test('It is tried no longer than the plan allows; then it is failed and undone.', async () => {
    const { provisioner, deeds } = scripted({
      provision() {
        throw new Error('connection refused');
      },
    });
    const world = aWorld(provisioner, [aPlan({ maximumPollingDuration: 10 })]);
    const { broker, work } = world.broker();
    await broker.provision(toProvision(soon));
    for (let turn = 0; turn < 10 && !deeds().includes('deprovision'); turn += 1) {
      world.pass(8000);
      await work.tick();
    }
    expect(await broker.lastOperation({ instanceId: 'i1' })).toMatchObject({
      operation: { state: 'failed', failure: { word: 'timeout' } },
    });
  });

  test('A step that overruns the deadline is told to end.', async () => {
    const { provisioner } = scripted({ provision: ({ signal }) => untilAborted(signal) });
    const { broker } = aWorld(provisioner, [aPlan({ maximumPollingDuration: 0.05 })]).broker();
    await expect(broker.provision(toProvision())).rejects.toThrow(
      'took longer than the 0.05 seconds allowed',
    );
  });

  test('A failed update leaves the instance ready, with its old plan and parameters.', async () => {
    const { provisioner } = scripted({
      update() {
        throw new Failure('load', 'Too much load to change.', {
          instanceUsable: true,
          updateRepeatable: false,
        });
      },
    });
    const { broker } = aWorld(provisioner, [aPlan(), aPlan({ id: 'large' })]).broker();
    await broker.provision(toProvision({ parameters: { a: 1 } }));
    const update = broker.update(toUpdate({ planId: 'large', parameters: { a: 2 } }));
    await expect(update).rejects.toMatchObject({ hints: { instanceUsable: true, updateRepeatable: false } });
    expect(await broker.instance('i1')).toMatchObject({
      planId: 'small',
      confidential: { parameters: { a: 1 } },
    });
  });

  test('A failed removal leaves the instance deletable.', async () => {
    let times = 0;
    const { provisioner } = scripted({
      deprovision() {
        if (++times === 1) throw new Failure('stuck', 'It cannot be removed now.');
        return { done: {} };
      },
    });
    const { broker } = aWorld(provisioner).broker();
    await broker.provision(toProvision());
    await expect(broker.deprovision(toDeprovision())).rejects.toThrow('It cannot be removed now.');
    expect(await broker.deprovision(toDeprovision())).toMatchObject({ is: 'done' });
  });

  test('No secret of the instance stands in what is told of a failure.', async () => {
    const secretPlan = aPlan({ making: { secrets: { root: { per: 'instance', length: 12 } } } });
    const { provisioner } = scripted({
      provision({ values, instance }) {
        const { root } = values['secrets'] as { root: string };
        const { token } = instance.confidential.parameters as { token: string };
        throw new Failure('odd', `No login with ${root}.`, { detail: `${root} and ${token}` });
      },
    });
    const world = aWorld(provisioner, [secretPlan]);
    const { broker } = world.broker();
    const parameters = { token: 'canary-token' };
    await expect(broker.provision(toProvision({ parameters }))).rejects.toThrow('No login with ***.');
    expect(JSON.stringify(world.events)).not.toMatch(/canary-token|sss/);
    const told = await broker.lastOperation({ instanceId: 'i1' });
    expect(told).toMatchObject({ operation: { failure: { detail: '*** and ***' } } });
  });
});

describe('Cancelling', () => {
  test('A deprovision ends a running provision and removes what it made, after its last step has ended.', async () => {
    const started = gate();
    const mayEnd = gate();
    const order: string[] = [];
    const { provisioner } = scripted({
      async provision() {
        started.open();
        await mayEnd.passed;
        order.push('late step made something');
        return { done: {} };
      },
      deprovision() {
        order.push('removed');
        return { done: {} };
      },
    });
    const { broker, work } = aWorld(provisioner).broker();
    const provisioning = await broker.provision(toProvision(soon));
    await started.passed;
    const outcome = await broker.deprovision(toDeprovision(soon));
    expect(outcome).toMatchObject({ is: 'accepted' });
    if (outcome.is !== 'accepted') throw new Error('The deprovision was not accepted');
    expect(await broker.deprovision(toDeprovision(soon))).toMatchObject({
      operation: { id: outcome.operation.id },
    });
    expect(await work.tick()).toBeGreaterThan(0);
    mayEnd.open();
    while ((await work.tick()) > 0 || order.length < 2) await new Promise(setImmediate);
    expect(order).toEqual(['late step made something', 'removed']);
    if (provisioning.is !== 'accepted') throw new Error('The provision was not accepted');
    const operationId = provisioning.operation.id;
    expect(await broker.lastOperation({ instanceId: 'i1', operationId })).toMatchObject({
      operation: { state: 'failed', failure: { word: 'cancelled' } },
    });
    expect(await broker.lastOperation({ instanceId: 'i1' })).toBe('gone');
  });

  test('The step of the cancelled operation is told to end.', async () => {
    const { provisioner, deeds } = scripted({ provision: ({ signal }) => untilAborted(signal) });
    const { broker, work } = aWorld(provisioner).broker();
    await broker.provision(toProvision(soon));
    await broker.deprovision(toDeprovision(soon));
    while (!deeds().includes('deprovision')) {
      await work.tick();
      await new Promise(setImmediate);
    }
    expect(await broker.lastOperation({ instanceId: 'i1' })).toBe('gone');
  });

  test.each([
    ['end', { done: {} }],
    ['progress', { again: { afterMs: 1, memo: 1 } }],
  ])(
    'A holder that hears of it only when it writes its %s lets the removal start at once.',
    async (_what, step) => {
      const mayEnd = gate();
      const { provisioner, deeds } = scripted({ provision: () => mayEnd.passed.then(() => step) });
      const world = aWorld(provisioner);
      const deaf = world.broker({ asyncPatience: 0, lease: 900_000 });
      deaf.work.onHint = () => undefined;
      await deaf.broker.provision(toProvision(soon));
      const { broker, work } = world.broker();
      await broker.deprovision(toDeprovision(soon));
      mayEnd.open();
      await deaf.work.handOver();
      await work.tick();
      expect(deeds()).toEqual(['provision', 'deprovision']);
    },
  );

  test('When the holder of the cancelled operation is dead, the removal starts after its lease.', async () => {
    const end = gate();
    const { provisioner, deeds } = scripted({ provision: () => end.passed.then(() => ({ done: {} })) });
    const world = aWorld(provisioner);
    const dead = world.broker({ asyncPatience: 0, lease: 900_000 });
    dead.work.onHint = () => undefined;
    await dead.broker.provision(toProvision(soon));
    const { broker, work } = world.broker();
    await broker.deprovision(toDeprovision(soon));
    await work.tick();
    expect(deeds()).toEqual(['provision']);
    world.pass(900_000);
    await work.tick();
    expect(deeds()).toEqual(['provision', 'deprovision']);
    end.open();
    await dead.work.handOver();
  });

  test('A deleted id is free again.', async () => {
    const { broker } = aWorld(scripted({}).provisioner).broker();
    await broker.provision(toProvision());
    await broker.deprovision(toDeprovision());
    expect(await broker.provision(toProvision({ parameters: { other: 1 } }))).toMatchObject({ is: 'done' });
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
    const world = aWorld(provisioner);
    const one = world.broker({ lease: 60_000 });
    await one.broker.provision(toProvision(soon));
    world.pass(60_001);
    const two = world.broker();
    expect(await two.work.tick()).toBe(0);
    first.open();
    await one.work.handOver();
    expect(await two.broker.instance('i1')).toMatchObject({
      confidential: { facts: { made: { by: 'second' } } },
    });
    expect(world.events).toContainEqual(expect.objectContaining({ type: 'operation-lost' }));
  });

  test('A heartbeat keeps a long step held, and a cancelled lease ends the step even when no hint arrives.', async () => {
    let told: AbortSignal | undefined;
    const { provisioner } = scripted({
      provision({ signal }) {
        told = signal;
        return untilAborted(signal);
      },
    });
    const world = aWorld(provisioner);
    const deaf = world.broker({ lease: 30 });
    deaf.work.onHint = () => undefined;
    await deaf.broker.provision(toProvision(soon));
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(told?.aborted).toBe(false);
    expect(await world.store.claim('other', 1000)).toBeUndefined();
    await world.broker().broker.deprovision(toDeprovision(soon));
    await new Promise<void>((resolve) =>
      told?.aborted ? resolve() : told?.addEventListener('abort', () => resolve()),
    );
  });

  test('A holder that cannot reach the store ends its step when its lease must be over.', async () => {
    const { provisioner, asked } = scripted({ provision: ({ signal }) => untilAborted(signal) });
    const world = aWorld(provisioner);
    const cutOff = world.broker({ lease: 30 });
    await cutOff.broker.provision(toProvision(soon));
    world.store.renew = () => Promise.reject(new Error('no route to the database'));
    const signal = asked[0]?.work.signal;
    await new Promise<void>((resolve) =>
      signal?.aborted ? resolve() : signal?.addEventListener('abort', () => resolve()),
    );
    expect(signal?.reason).toBe('lost');
    expect(world.events).toContainEqual(
      expect.objectContaining({ type: 'trouble', doing: 'renewing a lease' }),
    );
  });

  test('At a shutdown running steps are ended and their operations taken up by others at once.', async () => {
    let calls = 0;
    const { provisioner } = scripted({
      provision: ({ signal }) => (++calls === 1 ? untilAborted(signal) : { done: {} }),
    });
    const world = aWorld(provisioner);
    const leaving = world.broker({ lease: 60_000 });
    await leaving.broker.provision(toProvision(soon));
    await leaving.work.handOver();
    const staying = world.broker();
    expect(await staying.work.tick()).toBe(0);
    expect(await staying.broker.instance('i1')).toMatchObject({ ready: true });
  });

  test('Before the hand-over there is rest: it waits also for what a request has begun and let go.', async () => {
    const slow = gate();
    const { provisioner } = scripted({ provision: () => slow.passed.then(() => ({ done: {} })) });
    const { broker, work } = aWorld(provisioner).broker({ asyncPatience: 0 });
    expect(await broker.provision(toProvision(soon))).toMatchObject({ is: 'accepted' });
    const rested = work.rest();
    slow.open();
    await rested;
    expect(await broker.instance('i1')).toMatchObject({ ready: true });
  });

  test('A request whose work is handed over at a shutdown is told to come again.', async () => {
    const { provisioner } = scripted({ provision: ({ signal }) => untilAborted(signal) });
    const { broker, work } = aWorld(provisioner).broker();
    const waiting = broker.provision(toProvision());
    await new Promise(setImmediate);
    await work.handOver();
    await expect(waiting).rejects.toMatchObject({ code: 'unavailable' });
  });

  test('Of many equal requests at many brokers one makes the thing, and the others get the same.', async () => {
    const { provisioner, deeds } = scripted({ provision: () => ({ done: {} }) });
    const world = aWorld(provisioner);
    const brokers = Array.from({ length: 5 }, () => world.broker().broker);
    const tenTimes = brokers.flatMap((broker) => Array.from({ length: 10 }, () => broker));
    const outcomes = await Promise.all(tenTimes.map((broker) => broker.provision(toProvision())));
    expect(deeds()).toEqual(['provision']);
    expect(outcomes.filter((outcome) => outcome.is === 'done')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome.is === 'unchanged')).toHaveLength(49);
  });
});

describe('Bindings', () => {
  test('A binding gets its own secrets, and a repetition gets the same ones.', async () => {
    const { broker } = aWorld(scripted({}).provisioner).broker();
    await broker.provision(toProvision());
    const one = await broker.bind(toBind());
    const two = await broker.bind(toBind({ bindingId: 'b2' }));
    const again = await broker.bind(toBind());
    if (one.is !== 'done' || two.is !== 'done' || again.is !== 'unchanged') throw new Error('Not bound');
    expect(again.record.confidential.answer).toEqual(one.record.confidential.answer);
    expect(two.record.confidential.answer).not.toEqual(one.record.confidential.answer);
  });

  test('A bind whose result cannot be fetched later is waited for, whatever the platform accepts.', async () => {
    const slow = gate();
    const { provisioner } = scripted({ bind: () => slow.passed.then(() => ({ done: {} })) });
    const { broker } = aWorld(provisioner, [aPlan({ bindingsRetrievable: false })]).broker({
      asyncPatience: 1,
    });
    await broker.provision(toProvision());
    const both = [broker.bind(toBind(soon)), broker.bind(toBind(soon))];
    setTimeout(slow.open, 20);
    const outcomes = await Promise.all(both);
    expect(outcomes.map(({ is }) => is).toSorted()).toEqual(['done', 'unchanged']);
  });

  test('A failed bind is undone and can be tried again.', async () => {
    let times = 0;
    const { provisioner, deeds } = scripted({
      bind() {
        if (++times === 1) throw new Failure('login', 'No login could be made.');
        return { done: {} };
      },
    });
    const { broker } = aWorld(provisioner).broker();
    await broker.provision(toProvision());
    await expect(broker.bind(toBind())).rejects.toThrow('No login could be made.');
    expect(deeds()).toEqual(['provision', 'bind', 'unbind']);
    await expect(broker.binding('i1', 'b1')).rejects.toMatchObject({ code: 'not-found' });
    expect(await broker.bind(toBind())).toMatchObject({ is: 'done' });
    expect(await broker.unbind(toUnbind())).toMatchObject({ is: 'done' });
    expect(await broker.unbind(toUnbind())).toEqual({ is: 'absent' });
  });

  test('Bindings left at a deprovision are unbound first.', async () => {
    const { provisioner, asked } = scripted({});
    const { broker } = aWorld(provisioner).broker();
    await broker.provision(toProvision());
    for (const bindingId of ['b1', 'b2']) await broker.bind(toBind({ bindingId }));
    expect(await broker.deprovision(toDeprovision())).toMatchObject({ is: 'done' });
    const removed = asked
      .slice(-3)
      .map(({ deed, work }: { deed: string; work: Work }) => [deed, work.binding?.id]);
    expect(removed).toEqual([
      ['unbind', 'b1'],
      ['unbind', 'b2'],
      ['deprovision', undefined],
    ]);
  });

  test('A binding that is over its time does not exist any more, and is revoked by the broker itself.', async () => {
    const plan = aPlan({ making: { answer: { bindingLifetime: { expiresAfter: 60, renewBefore: 20 } } } });
    const { provisioner, deeds } = scripted({});
    const world = aWorld(provisioner, [plan]);
    const { broker, work } = world.broker();
    await broker.provision(toProvision());
    await broker.bind(toBind());
    const { expiresAt, renewBefore } = await broker.binding('i1', 'b1');
    expect((expiresAt?.getTime() ?? 0) - (renewBefore?.getTime() ?? 0)).toBe(20_000);
    world.pass(60_000);
    await expect(broker.binding('i1', 'b1')).rejects.toMatchObject({ code: 'not-found' });
    await work.tick();
    expect(deeds().at(-1)).toBe('unbind');
    expect(await broker.unbind(toUnbind())).toEqual({ is: 'absent' });
  });

  test('A rotation takes over parameters and application of its predecessor, and both live on their own.', async () => {
    const { broker } = aWorld(scripted({}).provisioner).broker();
    await broker.provision(toProvision());
    await broker.bind(toBind({ parameters: { role: 'reader' }, appGuid: 'app' }));
    const rotate = {
      ...toBind({ bindingId: 'b2', predecessorId: 'b1' }),
      offeringId: undefined,
      planId: undefined,
    };
    const { offeringId: _o, planId: _p, ...onlyPredecessor } = rotate;
    const successor = await broker.bind(onlyPredecessor);
    expect(successor).toMatchObject({
      is: 'done',
      record: { appGuid: 'app', confidential: { parameters: { role: 'reader' } } },
    });
    await broker.unbind(toUnbind());
    expect(await broker.binding('i1', 'b2')).toMatchObject({ ready: true });
    expect(await broker.bind(onlyPredecessor)).toMatchObject({ is: 'unchanged' });
  });
});

describe('Updates', () => {
  test('Parameters are merged, the plan stays when none is named, and secrets stay.', async () => {
    const { broker } = aWorld(scripted({}).provisioner, [aPlan(), aPlan({ id: 'large' })]).broker();
    await broker.provision(toProvision({ parameters: { a: 1, b: 1 } }));
    await broker.update(toUpdate({ parameters: { b: 2 } }));
    expect(await broker.instance('i1')).toMatchObject({
      planId: 'small',
      confidential: { parameters: { a: 1, b: 2 } },
    });
    await broker.update(toUpdate({ planId: 'large' }));
    expect(await broker.instance('i1')).toMatchObject({
      planId: 'large',
      confidential: { parameters: { a: 1, b: 2 } },
    });
  });

  test('Where an update names all parameters, what it does not name goes.', async () => {
    const { provisioner, deeds } = scripted({});
    const { broker } = aWorld(provisioner).broker();
    await broker.provision(toProvision({ parameters: { a: 1, b: 1 } }));
    const complete = (parameters: JsonObject) => toUpdate({ parameters, complete: true });
    await broker.update(complete({ b: 1 }));
    expect((await broker.instance('i1')).confidential.parameters).toEqual({ b: 1 });
    expect(await broker.update(complete({ b: 1 }))).toMatchObject({ is: 'unchanged' });
    await broker.update(complete({}));
    expect((await broker.instance('i1')).confidential.parameters).toEqual({});
    expect(deeds()).toEqual(['provision', 'update', 'update']);
  });

  test('A removal that means one version of the instance leaves every other alone.', async () => {
    const { broker } = aWorld(scripted({}).provisioner).broker();
    await broker.provision(toProvision());
    const { version } = await broker.instance('i1');
    await broker.update(toUpdate({ parameters: { a: 1 } }));
    expect(await broker.deprovision({ ...toDeprovision(), version })).toEqual({ is: 'absent' });
    const now = await broker.instance('i1');
    expect(await broker.deprovision({ ...toDeprovision(), version: now.version })).toMatchObject({
      is: 'done',
    });
  });

  test('An update that changes nothing makes nothing; a new context is only remembered.', async () => {
    const { provisioner, deeds } = scripted({});
    const { broker } = aWorld(provisioner).broker();
    await broker.provision(toProvision());
    expect(await broker.update(toUpdate({ planId: 'small' }))).toMatchObject({ is: 'unchanged' });
    const renamed = { instance_name: 'renamed' };
    expect(await broker.update(toUpdate({ context: renamed }))).toMatchObject({
      is: 'done',
      record: { context: renamed },
    });
    expect(deeds()).toEqual(['provision']);
  });

  test('A new maintenance version is an update, an old one is refused.', async () => {
    const plans = [aPlan({ maintenanceInfo: { version: '1.0.0' } })];
    const { provisioner, deeds } = scripted({});
    const world = aWorld(provisioner, plans);
    const { broker } = world.broker();
    await world.store.saveRevisions(plans);
    await broker.provision(toProvision());
    plans[0] = aPlan({ maintenanceInfo: { version: '2.0.0' }, revision: 'small-2' });
    await expect(broker.update(toUpdate({ maintenanceVersion: '1.0.0' }))).rejects.toMatchObject({
      code: 'maintenance-conflict',
    });
    expect(await broker.update(toUpdate({ maintenanceVersion: '2.0.0' }))).toMatchObject({ is: 'done' });
    expect(deeds()).toEqual(['provision', 'update']);
    expect(await broker.instance('i1')).toMatchObject({ maintenanceVersion: '2.0.0', revision: 'small-2' });
  });

  test('A change of a plan that does not allow it is unsupported and changes nothing.', async () => {
    const { broker } = aWorld(scripted({}).provisioner, [
      aPlan({ planUpdateable: false }),
      aPlan({ id: 'large' }),
    ]).broker();
    await broker.provision(toProvision());
    await expect(broker.update(toUpdate({ planId: 'large' }))).rejects.toMatchObject({ code: 'unsupported' });
    expect(await broker.instance('i1')).toMatchObject({ planId: 'small' });
  });
});

describe('Self-contained provisioners', () => {
  test('What fails is written nowhere, but the operator is told why.', async () => {
    const { provisioner } = scripted(
      {
        provision() {
          throw new Failure('odd', 'Ask the operator.', { detail: 'The file lacks a secret.' });
        },
      },
      { selfContained: true },
    );
    const world = aWorld(provisioner);
    const { broker } = world.broker();
    await expect(broker.provision(toProvision())).rejects.toThrow('Ask the operator.');
    expect(world.events).toEqual([
      expect.objectContaining({ type: 'step-failed', detail: 'The file lacks a secret.' }),
    ]);
    expect(await broker.lastOperation({ instanceId: 'i1' })).toBe('absent');
  });

  test('Everything is written as one: there is never an open operation.', async () => {
    const world = aWorld(scripted({}, { selfContained: true }).provisioner);
    const { broker, work } = world.broker();
    const open = world.store.open.bind(world.store);
    const opened: string[] = [];
    world.store.open = (opening) => {
      opened.push(opening.operation.state);
      return open(opening);
    };
    expect(await broker.provision(toProvision())).toMatchObject({ is: 'done', record: { ready: true } });
    expect(await broker.bind(toBind())).toMatchObject({ is: 'done', record: { ready: true } });
    expect(await broker.update(toUpdate({ parameters: { a: 1 } }))).toMatchObject({ is: 'done' });
    expect(await broker.unbind(toUnbind())).toMatchObject({ is: 'done' });
    expect(await broker.lastOperation({ instanceId: 'i1' })).toMatchObject({ operation: { kind: 'update' } });
    await broker.bind(toBind());
    expect(await broker.deprovision(toDeprovision())).toMatchObject({ is: 'done' });
    expect(await broker.lastOperation({ instanceId: 'i1' })).toBe('gone');
    expect(await broker.lastOperation({ instanceId: 'i1', bindingId: 'b1' })).toBe('gone');
    expect(await work.tick()).toBeGreaterThan(0);
    expect(opened).toEqual(Array(6).fill('succeeded'));
  });
});
