import { Failure } from '../../../src/broker/errors.ts';
import { aPlan, toDeprovision, toProvision, toUpdate } from '../fixtures.ts';
import { coreInMemory, gate, scripted, untilAborted } from '../core-in-memory.ts';

const soon = { acceptsIncomplete: true };

describe('Failure', () => {
  test('What fails for good is undone before it is told, and can then be deleted or tried again.', async () => {
    let times = 0;
    const { provisioner, deeds } = scripted({
      provision() {
        if (++times === 1) throw new Failure('quota', 'There is no room for this plan.');
        return { done: {} };
      },
    });
    const { broker } = coreInMemory(provisioner).broker();
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
    const { broker } = coreInMemory(provisioner).broker();
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
    const core = coreInMemory(provisioner);
    const { broker, work } = core.broker();
    await broker.provision(toProvision(soon));
    for (const pause of [1000, 2000, 4000]) {
      await work.tick();
      expect(core.events.at(-1)).toMatchObject({
        type: 'step-failed',
        retryMs: pause,
        detail: 'Error: connection refused',
      });
      core.pass(pause);
    }
    expect(await work.tick()).toBe(0);
    expect(await broker.instance('i1')).toMatchObject({ ready: true });
  });

  test('An operation is tried no longer than the plan allows; then it is failed and undone.', async () => {
    const { provisioner, deeds } = scripted({
      provision() {
        throw new Error('connection refused');
      },
    });
    const core = coreInMemory(provisioner, [aPlan({ maximumPollingDuration: 10 })]);
    const { broker, work } = core.broker();
    await broker.provision(toProvision(soon));
    for (let turn = 0; turn < 10 && !deeds().includes('deprovision'); turn += 1) {
      core.pass(8000);
      await work.tick();
    }
    expect(await broker.lastOperation({ instanceId: 'i1' })).toMatchObject({
      operation: { state: 'failed', failure: { word: 'timeout' } },
    });
  });

  test('A step that overruns the deadline is told to end.', async () => {
    const { provisioner } = scripted({ provision: ({ signal }) => untilAborted(signal) });
    const { broker } = coreInMemory(provisioner, [aPlan({ maximumPollingDuration: 0.05 })]).broker();
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
    const { broker } = coreInMemory(provisioner, [aPlan(), aPlan({ id: 'large' })]).broker();
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
    const { broker } = coreInMemory(provisioner).broker();
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
    const core = coreInMemory(provisioner, [secretPlan]);
    const { broker } = core.broker();
    const parameters = { token: 'canary-token' };
    await expect(broker.provision(toProvision({ parameters }))).rejects.toThrow('No login with ***.');
    expect(JSON.stringify(core.events)).not.toMatch(/canary-token|sss/);
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
    const { broker, work } = coreInMemory(provisioner).broker();
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
    const { broker, work } = coreInMemory(provisioner).broker();
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
      const core = coreInMemory(provisioner);
      const deaf = core.broker({ asyncPatience: 0, lease: 900_000 });
      deaf.work.onHint = () => undefined;
      await deaf.broker.provision(toProvision(soon));
      const { broker, work } = core.broker();
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
    const core = coreInMemory(provisioner);
    const dead = core.broker({ asyncPatience: 0, lease: 900_000 });
    dead.work.onHint = () => undefined;
    await dead.broker.provision(toProvision(soon));
    const { broker, work } = core.broker();
    await broker.deprovision(toDeprovision(soon));
    await work.tick();
    expect(deeds()).toEqual(['provision']);
    core.pass(900_000);
    await work.tick();
    expect(deeds()).toEqual(['provision', 'deprovision']);
    end.open();
    await dead.work.handOver();
  });

  test('A deleted id is free again.', async () => {
    const { broker } = coreInMemory(scripted({}).provisioner).broker();
    await broker.provision(toProvision());
    await broker.deprovision(toDeprovision());
    expect(await broker.provision(toProvision({ parameters: { other: 1 } }))).toMatchObject({ is: 'done' });
  });
});
