import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Failure } from '../../src/broker/errors.ts';
import { aPlan, toDeprovision, toProvision } from './fixtures.ts';
import { coreInMemory, gate, scripted, untilAborted, type CoreInMemory } from './core-in-memory.ts';
import { until } from '../support/until.ts';

/** What happens when two things happen at once, or something ends in the middle of something else. */

const soon = { acceptsIncomplete: true };
const failed = (word: string) => expect.objectContaining({ name: 'Failure', word });

/** From now on the store does this only when the test lets it; gives when it is first asked to. */
function heldUp(
  core: CoreInMemory,
  method: 'open' | 'postpone' | 'claim',
): { asked: Promise<void>; go: () => void } {
  const asked = gate();
  const go = gate();
  const atOnce = { ...core.store };
  core.store[method] = async (...given: never[]) => {
    asked.open();
    await go.passed;
    return (atOnce[method] as (...all: never[]) => Promise<never>)(...given);
  };
  return { asked: asked.passed, go: go.open };
}

async function untilTrue(
  condition: () => boolean,
  meanwhile: () => Promise<unknown> = async () => undefined,
) {
  const look = async () => condition() || (await meanwhile(), false);
  await until(condition.toString(), look);
}

describe('Giving up', () => {
  test('A create that is given up just when its progress is written is undone all the same.', async () => {
    const { provisioner, deeds } = scripted({ provision: () => ({ again: { afterMs: 0, memo: 1 } }) });
    const core = coreInMemory(provisioner);
    const { broker, work } = core.broker({ syncPatience: 20 });
    const { asked, go } = heldUp(core, 'postpone');
    const given = broker.provision(toProvision());
    await asked;
    await expect(given).rejects.toThrow(failed('timeout'));
    go();
    await untilTrue(
      () => deeds().includes('deprovision'),
      () => work.tick(),
    );
    expect(deeds()).toEqual(['provision', 'deprovision']);
    expect(await broker.lastOperation({ instanceId: 'i1' })).toMatchObject({
      operation: { state: 'failed', failure: { word: 'timeout' } },
    });
  });

  test('A create that has failed and is being undone when patience ends is undone to its end.', async () => {
    const removed = gate();
    let told = 0;
    const { provisioner } = scripted({
      provision() {
        throw new Failure('quota', 'There is no room.');
      },
      async deprovision({ signal }) {
        signal.addEventListener('abort', () => (told += 1));
        await (told ? undefined : Promise.race([removed.passed, untilAborted(signal)]));
        removed.open();
        return { done: {} };
      },
    });
    const { broker, work } = coreInMemory(provisioner).broker({ syncPatience: 20 });
    await expect(broker.provision(toProvision())).rejects.toThrow(failed('timeout'));
    let over = false;
    void removed.passed.then(() => (over = true));
    await untilTrue(
      () => over,
      () => work.tick(),
    );
    await work.tick();
    const { operation } = (await broker.lastOperation({ instanceId: 'i1' })) as { operation: object };
    expect(operation).toMatchObject({ state: 'failed', failure: { word: 'quota' } });
    expect(JSON.stringify(operation)).not.toContain('Undoing it failed');
  });
});

describe('Deadlines', () => {
  test('The deadline holds also while a step rests for longer.', async () => {
    const { provisioner, deeds } = scripted({
      provision: () => ({ again: { afterMs: 600_000, memo: 1 } }),
    });
    const core = coreInMemory(provisioner, [aPlan({ maximumPollingDuration: 10 })]);
    const { broker, work } = core.broker();
    await broker.provision(toProvision(soon));
    await new Promise(setImmediate);
    core.pass(10_000);
    await work.tick();
    await work.tick();
    expect(deeds()).toEqual(['provision', 'deprovision']);
    expect(await broker.lastOperation({ instanceId: 'i1' })).toMatchObject({
      operation: { state: 'failed', failure: { word: 'timeout' } },
    });
  });
});

describe('Cancelling', () => {
  test('A removal waits for the last step also when that was told to end before.', async () => {
    const mayEnd = gate();
    const order: string[] = [];
    const { provisioner } = scripted({
      async provision() {
        await mayEnd.passed;
        order.push('made');
        return { done: {} };
      },
      deprovision() {
        order.push('removed');
        return { done: {} };
      },
    });
    const core = coreInMemory(provisioner);
    // Longer than a busy machine stalls a process, and waited for more than once.
    const lease = 3000;
    const { broker, work } = core.broker({ syncPatience: 20, lease });
    await expect(broker.provision(toProvision())).rejects.toThrow(failed('timeout'));
    await broker.deprovision(toDeprovision(soon));
    for (const end = performance.now() + 1.5 * lease; performance.now() < end;) {
      await work.tick();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    mayEnd.open();
    await untilTrue(
      () => order.length === 2,
      () => work.tick(),
    );
    expect(order).toEqual(['made', 'removed']);
  });
});

describe('A removal that follows a cancelled create', () => {
  test('A removal that follows a cancelled create is not failed for the time that it had to wait.', async () => {
    const end = gate();
    const { provisioner, deeds } = scripted({ provision: () => end.passed.then(() => ({ done: {} })) });
    const core = coreInMemory(provisioner, [aPlan({ maximumPollingDuration: 5 })]);
    const dead = core.broker({ asyncPatience: 0, lease: 15_000 });
    dead.work.onHint = () => undefined;
    await dead.broker.provision(toProvision(soon));
    const { broker, work } = core.broker();
    await broker.deprovision(toDeprovision(soon));
    core.pass(15_000);
    await work.tick();
    expect(deeds()).toEqual(['provision', 'deprovision']);
    expect(await broker.lastOperation({ instanceId: 'i1' })).toBe('gone');
    end.open();
    await dead.work.handOver();
  });
});

describe('Leases', () => {
  test('A holder whose store does not answer at all ends its step when its lease must be over.', async () => {
    const { provisioner, asked } = scripted({ provision: ({ signal }) => untilAborted(signal) });
    const core = coreInMemory(provisioner);
    const cutOff = core.broker({ lease: 60 });
    await cutOff.broker.provision(toProvision(soon));
    const unanswered = Promise.withResolvers<boolean>();
    core.store.renew = () => unanswered.promise;
    const signal = asked[0]?.work.signal;
    try {
      await untilTrue(() => signal?.aborted === true);
    } finally {
      unanswered.reject(new Error('The test is over.'));
    }
    expect(signal?.reason).toBe('lost');
  });

  test('A process that stood still for longer than its lease goes on when nobody has taken its work.', async () => {
    const { provisioner, asked } = scripted({ provision: ({ signal }) => untilAborted(signal) });
    const core = coreInMemory(provisioner);
    const { broker, work } = core.broker({ lease: 60, asyncPatience: 0 });
    await broker.provision(toProvision(soon));
    const renewed = gate();
    const store = { ...core.store };
    for (const end = performance.now() + 150; performance.now() < end;);
    core.store.renew = async (...given) => {
      setImmediate(renewed.open);
      return store.renew(...given);
    };
    await renewed.passed;
    expect(asked[0]?.work.signal.aborted).toBe(false);
    await work.handOver();
  });
});

describe('Leaving', () => {
  test('What is opened while a broker leaves is left to others at once.', async () => {
    const { provisioner } = scripted({
      provision: ({ signal }) => (staying ? { done: {} } : untilAborted(signal)),
    });
    const core = coreInMemory(provisioner);
    let staying: ReturnType<CoreInMemory['broker']> | undefined;
    const leaving = core.broker({ lease: 900_000 });
    const { asked, go } = heldUp(core, 'open');
    const given = leaving.broker.provision(toProvision());
    await asked;
    await leaving.work.handOver();
    go();
    await expect(given).rejects.toMatchObject({ code: 'unavailable' });
    staying = core.broker();
    await staying.work.tick();
    expect(await staying.broker.instance('i1')).toMatchObject({ ready: true });
  });

  test('What is claimed while a broker leaves is left to others at once.', async () => {
    const { provisioner, asked: steps } = scripted({
      provision: ({ memo, signal }) => (memo ? untilAborted(signal) : { again: { afterMs: 100, memo: 1 } }),
    });
    const core = coreInMemory(provisioner);
    const leaving = core.broker({ lease: 900_000, asyncPatience: 0 });
    await leaving.broker.provision(toProvision(soon));
    await new Promise(setImmediate);
    core.pass(100);
    const atOnce = { ...core.store };
    const { asked, go } = heldUp(core, 'claim');
    const taking = leaving.work.take();
    await asked;
    await leaving.work.handOver();
    go();
    await taking;
    await new Promise(setImmediate);
    expect(await atOnce.claim('other', 1000)).toMatchObject({ operation: { attempt: 3 } });
    expect(steps.map(({ work }) => work.signal.aborted)).toEqual([false, true]);
  });
});

describe('Waiting', () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;

  /** Bytes, without what is garbage. */
  function heap(): number {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  }

  test('Requests that waited for the operation of another broker leave nothing behind in memory.', async () => {
    const { provisioner } = scripted({ provision: ({ signal }) => untilAborted(signal) });
    const core = coreInMemory(provisioner);
    const holding = core.broker({ lease: 900_000, asyncPatience: 0 });
    await holding.broker.provision(toProvision(soon));
    const { broker } = core.broker({ syncPatience: 150 });
    const wait = () => broker.provision(toProvision()).catch((error: unknown) => error);
    const waitOften = () => Promise.all(Array.from({ length: 3000 }, wait));
    await waitOften();
    const before = heap();
    for (let round = 0; round < 4; round += 1) await waitOften();
    expect(heap() - before).toBeLessThan(3_000_000);
    await holding.work.handOver();
  });
});
