import { Failure } from '../../../src/broker/errors.ts';
import type { OperationQueue } from '../../../src/broker/queue.ts';
import type { Store } from '../../../src/broker/store.ts';
import { startWorker } from '../../../src/program/loops/worker.ts';
import { aPlan, toBind, toDeprovision, toProvision, toUnbind, toUpdate } from '../fixtures.ts';
import { gate, untilAborted, type CoreInMemory } from '../core-in-memory.ts';
import { lastOf } from '../last-operation.ts';
import { twoNodes } from './two-nodes.ts';
import { until } from '../../support/until.ts';

/** Who carries what is asked of instances of another node. */

const soon = { acceptsIncomplete: true };
const workers: { stop(withinMs: number): Promise<void>; deafen(): Promise<void> }[] = [];

/** From now on this broker carries what is due, as a running one does. */
function letWork(core: CoreInMemory, work: OperationQueue): void {
  const worker = startWorker({ work, concurrency: 4, observe: () => undefined });
  const deafen = core.store.listen((hint) => 'due' in hint && worker.wake());
  workers.push({ stop: (ms) => worker.stop(ms), deafen });
}

afterEach(async () => {
  for (const worker of workers.splice(0)) {
    await worker.deafen();
    await worker.stop(2000);
  }
});

/** Until nothing stands for it any more. */
async function untilGone(core: CoreInMemory): Promise<void> {
  await until('the instance is gone', async () => !(await core.store.findInstance('i1')));
}

describe('An instance of another node', () => {
  const deeds = ['provision', 'bind', 'update', 'restart', 'unbind', 'deprovision'] as const;

  function asked({ broker }: Awaited<ReturnType<typeof twoNodes>>['a'], how: { acceptsIncomplete: boolean }) {
    return [
      () => broker.provision(toProvision(how)),
      () => broker.bind(toBind(how)),
      () => broker.update(toUpdate({ parameters: { size: 2 }, ...how })),
      () => broker.restart({ instanceId: 'i1', origin: { protocol: 'test' }, ...how }),
      () => broker.unbind(toUnbind(how)),
      () => broker.deprovision(toDeprovision(how)),
    ];
  }

  async function holding() {
    const holders: unknown[] = [];
    const look = async () => {
      const { operation, found } = await there.core.store.findBinding('i1', 'b1');
      const { kind, holder } = operation ?? found?.operation ?? {};
      holders.push([kind, holder]);
      return { done: { facts: { made: { by: holder ?? '' } } } };
    };
    const there = await twoNodes(Object.fromEntries(deeds.map((deed) => [deed, look])));
    return { ...there, holders };
  }

  test('Whatever is asked of it elsewhere is carried by its node, and answered as if it were done here.', async () => {
    const { core, a, b, holders } = await holding();
    letWork(core, b.work);
    const outcomes = [];
    for (const ask of asked(a, { acceptsIncomplete: false })) outcomes.push(await ask());
    expect(outcomes.map(({ is }) => is)).toEqual(deeds.map(() => 'done'));
    const [provisioned, bound, updated] = outcomes;
    expect(provisioned).toMatchObject({
      record: { ready: true, place: { node: 'b' }, confidential: { facts: { made: { by: 'b' } } } },
    });
    expect(bound).toMatchObject({ record: { confidential: { answer: { credentials: expect.anything() } } } });
    expect(updated).toMatchObject({ record: { confidential: { parameters: { size: 2 } } } });
    expect(holders).toEqual(deeds.map((deed) => [deed, 'b']));
  });

  test('Whatever is asked of it elsewhere is accepted, and stays its own while the node is away.', async () => {
    const { core, a, b, holders } = await holding();
    for (const ask of asked(a, soon)) {
      const outcome = await ask();
      expect(outcome).toMatchObject({ is: 'accepted', operation: { node: 'b', attempt: 0 } });
      expect(await ask()).toMatchObject({ is: 'accepted' });
      expect(await a.work.tick()).toBe(1000);
      await b.work.tick();
    }
    expect(holders).toEqual(deeds.map((deed) => [deed, 'b']));
    expect(await core.store.findInstance('i1')).toBeUndefined();
  });

  test('Who asked for a create waits no longer than patience allows; then it is given up and undone.', async () => {
    const { core, b } = await twoNodes();
    const hasty = core.broker({ node: 'a', syncPatience: 30 });
    await expect(hasty.broker.provision(toProvision())).rejects.toMatchObject({
      word: 'timeout',
      message:
        'The provision operation takes longer than a synchronous request can wait. It has been given up.',
    });
    // The platform's clean-up finds the removal, and finishes the job when the node is back.
    expect(await hasty.broker.deprovision(toDeprovision(soon))).toMatchObject({
      is: 'accepted',
      operation: { kind: 'deprovision', node: 'b' },
    });
    letWork(core, b.work);
    await untilGone(core);
    expect(await hasty.broker.deprovision(toDeprovision())).toEqual({ is: 'absent' });
    expect(core.events.filter(({ type }) => type === 'trouble')).toEqual([]);
  });

  test('A create whose step runs on another node is ended there when nobody waits for it any longer.', async () => {
    const {
      core,
      a,
      b,
      deeds: done,
    } = await twoNodes({
      provision: ({ signal }) => untilAborted(signal),
    });
    const hasty = core.broker({ node: 'a', syncPatience: 300 });
    letWork(core, b.work);
    await expect(hasty.broker.provision(toProvision())).rejects.toThrow('It has been given up.');
    await untilGone(core);
    expect(done()).toEqual(['provision', 'deprovision']);
    expect(await a.broker.deprovision(toDeprovision())).toEqual({ is: 'absent' });
  });

  test('A bind is given up as well, and its instance stays.', async () => {
    const { core, b, deeds: done } = await twoNodes({ bind: ({ signal }) => untilAborted(signal) });
    const hasty = core.broker({ node: 'a', syncPatience: 300 });
    letWork(core, b.work);
    await hasty.broker.provision(toProvision());
    await expect(hasty.broker.bind(toBind())).rejects.toThrow('It has been given up.');
    await b.work.rest();
    expect(await hasty.broker.unbind(toUnbind())).toMatchObject({ is: expect.stringMatching(/done|absent/) });
    expect(done()).toEqual(['provision', 'bind', 'unbind']);
    expect(await hasty.broker.instance('i1')).toMatchObject({ ready: true });
  });

  test('What was done at the last moment is done, and stays.', async () => {
    const { core, b } = await twoNodes();
    const { store } = core;
    const late: Store = {
      ...store,
      async findInstance(instanceId) {
        // Between the last look at it and its giving up.
        if ((await store.findInstance(instanceId))?.operation) await b.work.tick();
        return store.findInstance(instanceId);
      },
    };
    const hasty = core.broker({ node: 'a', syncPatience: 0 }, { store: late });
    expect(await hasty.broker.provision(toProvision())).toMatchObject({
      is: 'done',
      record: { ready: true },
    });
  });

  test('When it cannot be given up, that is told to the operator, and it goes on.', async () => {
    const { core, a, b } = await twoNodes();
    const breaking: Store = {
      ...core.store,
      async findInstance(instanceId) {
        const found = await core.store.findInstance(instanceId);
        if (found) throw new Error('The database is away');
        return found;
      },
    };
    const hasty = core.broker({ node: 'a', syncPatience: 30 }, { store: breaking });
    await expect(hasty.broker.provision(toProvision())).rejects.toThrow('It goes on.');
    expect(core.events).toContainEqual(
      expect.objectContaining({ type: 'trouble', detail: expect.stringContaining('The database is away') }),
    );
    await expect(
      core.broker({ node: 'a', syncPatience: 30 }).broker.provision(toProvision()),
    ).rejects.toMatchObject({
      code: 'busy',
    });
    await b.work.tick();
    expect(await a.broker.provision(toProvision())).toMatchObject({ is: 'unchanged' });
  });

  test('An update that its node has never begun does not hinder the removal; one that it has begun does.', async () => {
    const { core, a, b, deeds: done } = await twoNodes({ update: ({ signal }) => untilAborted(signal) });
    await b.broker.provision(toProvision());
    const asked = toUpdate({ parameters: { size: 2 }, ...soon });
    expect(await a.broker.update(asked)).toMatchObject({ is: 'accepted', operation: { attempt: 0 } });
    const { id: operationId } = (await lastOf(core)) ?? {};
    expect(await a.broker.deprovision(toDeprovision(soon))).toMatchObject({ is: 'accepted' });
    expect(
      await a.broker.lastOperation({ instanceId: 'i1', ...(operationId ? { operationId } : {}) }),
    ).toMatchObject({
      operation: { kind: 'update', state: 'failed', failure: { word: 'cancelled' } },
    });
    await b.work.tick();
    expect(done()).toEqual(['provision', 'deprovision']);
    await b.broker.provision(toProvision());
    await a.broker.update(asked);
    const { ended } = (await b.work.take()) as { ended: Promise<unknown> };
    await expect(a.broker.deprovision(toDeprovision(soon))).rejects.toMatchObject({ code: 'busy' });
    await b.work.handOver();
    await ended;
  });

  test('A create that another request joins is done for who opened it, and unchanged for the other.', async () => {
    const mayEnd = gate();
    const { core, a, b } = await twoNodes({ provision: () => mayEnd.passed.then(() => ({ done: {} })) });
    const requests = [a.broker.provision(toProvision()), a.broker.provision(toProvision())];
    letWork(core, b.work);
    mayEnd.open();
    const outcomes = await Promise.all(requests);
    expect(outcomes.map(({ is }) => is).toSorted()).toEqual(['done', 'unchanged']);
  });

  test('A failure of it is told to who asked.', async () => {
    const { core, a, b } = await twoNodes({
      provision() {
        throw new Failure('quota', 'The disk is full.');
      },
    });
    letWork(core, b.work);
    await expect(a.broker.provision(toProvision())).rejects.toThrow(
      new Failure('quota', 'The disk is full.'),
    );
  });

  test('Credentials that cannot be fetched later are waited for.', async () => {
    const { core, a, b } = await twoNodes({}, [aPlan({ bindingsRetrievable: false })]);
    letWork(core, b.work);
    await a.broker.provision(toProvision());
    expect(await a.broker.bind(toBind(soon))).toMatchObject({
      is: 'done',
      record: { confidential: { answer: { credentials: { password: expect.any(String) } } } },
    });
  });

  test('A deprovision elsewhere ends its create, and the node removes what it has made.', async () => {
    const { core, a, b, deeds: done } = await twoNodes({ provision: ({ signal }) => untilAborted(signal) });
    const given = b.broker.provision(toProvision({ ...soon }));
    expect(await given).toMatchObject({ is: 'accepted' });
    letWork(core, b.work);
    expect(await a.broker.deprovision(toDeprovision())).toMatchObject({ is: 'done' });
    expect(done()).toEqual(['provision', 'deprovision']);
    expect(await a.broker.deprovision(toDeprovision())).toEqual({ is: 'absent' });
  });

  test('What a node hands over when it ends waits for it, and is done when it is back.', async () => {
    let times = 0;
    const { core, a, b } = await twoNodes({
      provision: ({ signal }) => (++times === 1 ? untilAborted(signal) : { done: {} }),
    });
    await b.broker.provision(toProvision(soon));
    await b.work.handOver();
    expect(await a.work.tick()).toBe(1000);
    const back = core.broker({ node: 'b' });
    expect(await back.work.tick()).toBe(0);
    expect(await a.broker.instance('i1')).toMatchObject({ ready: true });
  });
});
