import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../../src/broker/errors.ts';
import type { OperationQueue } from '../../../src/broker/queue.ts';
import type { Operation } from '../../../src/broker/records.ts';
import type { Store } from '../../../src/broker/store.ts';
import { startWorker } from '../../../src/program/loops/worker.ts';
import { aPlan, toBind, toDeprovision, toProvision, toUnbind, toUpdate } from '../fixtures.ts';
import { aWorld, gate, scripted, untilAborted, type World } from '../core-in-memory.ts';

/** Where instances are made, what stands in the way, and who carries what is asked of them afterwards. */

const soon = { acceptsIncomplete: true };
const local = { local: true };
const costing = (cost: number) => aPlan({ operating: { cost } });

type Script = Parameters<typeof scripted>[0];

/** Two brokers on one store, which are the nodes a and b; b has more room, so new instances go there. */
async function twoNodes(script: Script = {}, plans = [aPlan()]) {
  const { provisioner, asked, deeds } = scripted(script, local);
  const world = aWorld(provisioner, plans);
  await world.beat({ name: 'a', capacity: 5 });
  await world.beat({ name: 'b', capacity: 8 });
  const a = world.broker({ node: 'a', holder: 'a' });
  const b = world.broker({ node: 'b', holder: 'b' });
  return { world, a, b, asked, deeds };
}

const workers: { stop(withinMs: number): Promise<void>; deafen(): Promise<void> }[] = [];

/** From now on this broker carries what is due, as a running one does. */
function letWork(world: World, work: OperationQueue): void {
  const worker = startWorker({ work, concurrency: 4, observe: () => undefined });
  const deafen = world.store.listen((hint) => 'due' in hint && worker.wake());
  workers.push({ stop: (ms) => worker.stop(ms), deafen });
}

afterEach(async () => {
  for (const worker of workers.splice(0)) {
    await worker.deafen();
    await worker.stop(2000);
  }
});

async function lastOf(world: World, instanceId = 'i1', bindingId?: string): Promise<Operation | undefined> {
  const query = { instanceId, ...(bindingId === undefined ? {} : { bindingId }) };
  return (await world.store.lastOperation(query)).operation;
}

/** Until nothing stands for it any more. */
async function untilGone(world: World): Promise<void> {
  while (await world.store.findInstance('i1')) await sleep(5);
}

async function placeOf(world: World, instanceId = 'i1') {
  return (await world.store.findInstance(instanceId))?.instance.place;
}

async function usedOf(world: World, name: string): Promise<number | undefined> {
  return (await world.nodes.list()).find((node) => node.name === name)?.used;
}

describe('Room', () => {
  test('A local instance is made on the node with the most free capacity, and takes its cost of it.', async () => {
    const { world, b } = await twoNodes({}, [costing(4)]);
    expect(await b.broker.provision(toProvision())).toMatchObject({
      is: 'done',
      record: { ready: true, place: { node: 'b', cost: 4 } },
    });
    expect(await lastOf(world)).toMatchObject({ node: 'b' });
    await b.broker.provision(toProvision({ instanceId: 'i2', ...soon }));
    expect(await placeOf(world, 'i2')).toEqual({ node: 'a', cost: 4 });
    expect([await usedOf(world, 'a'), await usedOf(world, 'b')]).toEqual([4, 4]);
    await b.broker.deprovision(toDeprovision());
    expect(await usedOf(world, 'b')).toBe(0);
  });

  test('An instance that is not local is of no node, and any broker carries what is asked of it.', async () => {
    const world = aWorld(scripted({}).provisioner);
    await world.beat({ name: 'b' });
    const { broker } = world.broker();
    expect(await broker.provision(toProvision())).toMatchObject({ is: 'done' });
    expect(await placeOf(world)).toBeUndefined();
    expect((await lastOf(world))?.node).toBeUndefined();
  });

  test.each<[string, string, (world: World) => Promise<unknown> | undefined]>([
    ['there is no node', 'No node that is running can take new instances.', () => undefined],
    [
      'the only node is draining',
      'No node that is running can take new instances.',
      async (world) => {
        await world.beat({ name: 'a', executables: ['redis-server', 'redis-cli'] });
        await world.nodes.drain('a', true);
      },
    ],
    [
      'the only node has been silent for long',
      'No node that is running can take new instances.',
      async (world) => {
        await world.beat({ name: 'a', executables: ['redis-server', 'redis-cli'] });
        world.pass(31_000);
      },
    ],
    [
      'no node has all executables',
      'No node that can take new instances has all that this needs: redis-server, redis-cli.',
      (world) => world.beat({ name: 'a', executables: ['redis-server'] }),
    ],
    [
      'no node has so much room',
      "No node has room for this: it takes 4 of a node's capacity, and none has that much left.",
      (world) => world.beat({ name: 'a', capacity: 3, executables: ['redis-server', 'redis-cli'] }),
    ],
  ])(
    'When %s, a provision is refused with "%s", and nothing is written.',
    async (_when, sentence, prepare) => {
      const { provisioner, asked } = scripted({}, local);
      const plan = aPlan({ operating: { cost: 4, executables: ['redis-server', 'redis-cli'] } });
      const world = aWorld(provisioner, [plan]);
      await prepare(world);
      const { broker } = world.broker({ node: 'a' });
      const refusal = { code: 'invalid', message: sentence };
      await expect(broker.provision(toProvision())).rejects.toMatchObject(refusal);
      await expect(broker.provision(toProvision(soon))).rejects.toMatchObject(refusal);
      expect(asked).toEqual([]);
      expect(await world.store.findInstance('i1')).toBeUndefined();
      expect(await lastOf(world)).toBeUndefined();
    },
  );

  test.each([
    [1, true, "There is an instance of 'cache' already, the only one that is allowed."],
    [2, true, "There are 2 instances of 'cache' already, the most that are allowed."],
    [2, false, "There are 2 instances of 'cache' already, the most that are allowed."],
  ])(
    'With %i allowed and local being %p, one more is refused: %s',
    async (maxInstances, isLocal, message) => {
      const { provisioner } = scripted({}, { local: isLocal, selfContained: !isLocal });
      const world = aWorld(provisioner, [aPlan({ operating: { maxInstances } })]);
      await world.beat({ name: 'a' });
      const { broker } = world.broker({ node: 'a' });
      const ask = (number: number) => broker.provision(toProvision({ instanceId: `i${number}` }));
      const asked = await Promise.allSettled([1, 2, 3, 4, 5].map(ask));
      expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(maxInstances);
      await expect(ask(6)).rejects.toMatchObject({ code: 'invalid', message });
      const [made] = await world.store.list({ limit: 1 });
      await broker.deprovision(toDeprovision({ instanceId: made?.instance.id ?? '' }));
      expect(await ask(6)).toMatchObject({ is: 'done' });
    },
  );

  test('Of ten provisions at once, those get room for which there is any, and what is deleted gives it back.', async () => {
    const { provisioner } = scripted({}, local);
    const world = aWorld(provisioner);
    await world.beat({ name: 'a', capacity: 3 });
    const { broker } = world.broker({ node: 'a' });
    for (let round = 0; round < 2; round += 1) {
      const ids = Array.from({ length: 10 }, (_none, index) => `i${index}`);
      const asked = await Promise.allSettled(
        ids.map((instanceId) => broker.provision(toProvision({ instanceId }))),
      );
      expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
      expect(await usedOf(world, 'a')).toBe(3);
      await Promise.all(ids.map((instanceId) => broker.deprovision(toDeprovision({ instanceId }))));
      expect(await usedOf(world, 'a')).toBe(0);
    }
  });
});

describe('A create that failed', () => {
  test('It takes no room and is of no node once it is undone, so it is deleted even when that node is gone.', async () => {
    let times = 0;
    const { world, a, b, deeds } = await twoNodes({
      provision() {
        if (++times === 1) throw new Failure('odd', 'It failed.');
        return { done: {} };
      },
    });
    await expect(b.broker.provision(toProvision())).rejects.toThrow('It failed.');
    expect(deeds()).toEqual(['provision', 'deprovision']);
    expect(await usedOf(world, 'b')).toBe(0);
    expect(await placeOf(world)).toBeUndefined();
    expect(await a.broker.deprovision(toDeprovision())).toMatchObject({ is: 'done' });
    expect(await a.broker.deprovision(toDeprovision())).toEqual({ is: 'absent' });
    expect(deeds()).toEqual(['provision', 'deprovision']);
  });

  test('Once undone, it is made again wherever there is room.', async () => {
    let times = 0;
    const { world, a, b } = await twoNodes({
      provision() {
        if (++times === 1) throw new Failure('odd', 'It failed.');
        return { done: {} };
      },
    });
    await expect(b.broker.provision(toProvision())).rejects.toThrow('It failed.');
    await world.nodes.drain('b', true);
    expect(await a.broker.provision(toProvision())).toMatchObject({ record: { place: { node: 'a' } } });
  });

  async function halfUndone() {
    let isStuck = true;
    const there = await twoNodes({
      provision({ memo }) {
        if (memo === undefined) return { again: { afterMs: 0, memo: { pid: 7 } } };
        throw new Failure('odd', 'It failed.');
      },
      deprovision() {
        if (isStuck) throw new Failure('stuck', 'It cannot be removed.');
        return { done: {} };
      },
    });
    await expect(there.b.broker.provision(toProvision())).rejects.toThrow('It failed.');
    return { ...there, mend: () => void (isStuck = false) };
  }

  test('What could not be undone is removed by the node on which it is, which knows how far it had come.', async () => {
    const { world, a, b, asked, mend } = await halfUndone();
    expect(await placeOf(world)).toMatchObject({ node: 'b' });
    expect(await usedOf(world, 'b')).toBe(0);
    await a.broker.deprovision(toDeprovision(soon));
    expect(await a.work.tick()).toBeGreaterThan(0);
    expect(await b.work.tick()).toBe(0);
    expect(asked.at(-1)).toMatchObject({ deed: 'deprovision', work: { trace: { pid: 7 } } });
    expect(await lastOf(world)).toMatchObject({ state: 'failed' });
    mend();
    await a.broker.deprovision(toDeprovision(soon));
    expect(await b.work.tick()).toBe(0);
    expect(asked.at(-1)).toMatchObject({ deed: 'deprovision', work: { trace: { pid: 7 } } });
    expect(await a.broker.deprovision(toDeprovision())).toEqual({ is: 'absent' });
  });

  test('What could not be undone is made again where it is.', async () => {
    const { world, a } = await halfUndone();
    await world.nodes.drain('b', true);
    await a.broker.provision(toProvision(soon));
    expect(await placeOf(world)).toMatchObject({ node: 'b' });
    expect(await lastOf(world)).toMatchObject({ kind: 'provision', node: 'b', state: 'in progress' });
  });
});

describe('A change of plan', () => {
  const plans = [costing(1), aPlan({ id: 'large', operating: { cost: 6 } })];
  const grow = toUpdate({ planId: 'large' });

  test('It takes the room of the new plan on its own node, and gives it back.', async () => {
    const { world, b } = await twoNodes({}, plans);
    await b.broker.provision(toProvision());
    expect(await b.broker.update(grow)).toMatchObject({ record: { place: { node: 'b', cost: 6 } } });
    expect(await usedOf(world, 'b')).toBe(6);
    await b.broker.update(toUpdate({ planId: 'small' }));
    expect(await usedOf(world, 'b')).toBe(1);
  });

  test('It is refused when its node has not that much left, whatever others have, and nothing changes.', async () => {
    const { world, b, deeds } = await twoNodes({}, plans);
    await b.broker.provision(toProvision());
    await world.beat({ name: 'a', capacity: 100 });
    await world.beat({ name: 'b', capacity: 5 });
    await expect(b.broker.update(grow)).rejects.toMatchObject({
      code: 'invalid',
      message: "The node has no room for this: it takes 6 of the node's capacity, and not that much is left.",
    });
    expect(deeds()).toEqual(['provision']);
    expect(await b.broker.instance('i1')).toMatchObject({ planId: 'small', place: { cost: 1 } });
  });

  test('It holds the room from the beginning, and one that failed gives it back.', async () => {
    const fails = gate();
    const { world, b } = await twoNodes(
      { update: () => fails.passed.then(() => Promise.reject(new Failure('odd', 'It failed.'))) },
      plans,
    );
    await b.broker.provision(toProvision());
    expect(await b.broker.update({ ...grow, ...soon })).toMatchObject({ is: 'accepted' });
    await b.broker.provision(toProvision({ instanceId: 'i2', ...soon }));
    expect(await usedOf(world, 'b')).toBe(6);
    expect(await placeOf(world, 'i2')).toMatchObject({ node: 'a' });
    fails.open();
    await b.work.rest();
    expect(await lastOf(world)).toMatchObject({ kind: 'update', state: 'failed' });
    expect(await placeOf(world)).toEqual({ node: 'b', cost: 1 });
    expect(await usedOf(world, 'b')).toBe(1);
  });
});

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
      const { operation, found } = await there.world.store.findBinding('i1', 'b1');
      const { kind, holder } = operation ?? found?.operation ?? {};
      holders.push([kind, holder]);
      return { done: { facts: { made: { by: holder ?? '' } } } };
    };
    const there = await twoNodes(Object.fromEntries(deeds.map((deed) => [deed, look])));
    return { ...there, holders };
  }

  test('Whatever is asked of it elsewhere is carried by its node, and answered as if it were done here.', async () => {
    const { world, a, b, holders } = await holding();
    letWork(world, b.work);
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
    const { world, a, b, holders } = await holding();
    for (const ask of asked(a, soon)) {
      const outcome = await ask();
      expect(outcome).toMatchObject({ is: 'accepted', operation: { node: 'b', attempt: 0 } });
      expect(await ask()).toMatchObject({ is: 'accepted' });
      expect(await a.work.tick()).toBe(1000);
      await b.work.tick();
    }
    expect(holders).toEqual(deeds.map((deed) => [deed, 'b']));
    expect(await world.store.findInstance('i1')).toBeUndefined();
  });

  test('Who asked for a create waits no longer than patience allows; then it is given up and undone.', async () => {
    const { world, b } = await twoNodes();
    const hasty = world.broker({ node: 'a', syncPatience: 30 });
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
    letWork(world, b.work);
    await untilGone(world);
    expect(await hasty.broker.deprovision(toDeprovision())).toEqual({ is: 'absent' });
    expect(world.events.filter(({ type }) => type === 'trouble')).toEqual([]);
  });

  test('A create whose step runs on another node is ended there when nobody waits for it any longer.', async () => {
    const {
      world,
      a,
      b,
      deeds: done,
    } = await twoNodes({
      provision: ({ signal }) => untilAborted(signal),
    });
    const hasty = world.broker({ node: 'a', syncPatience: 300 });
    letWork(world, b.work);
    await expect(hasty.broker.provision(toProvision())).rejects.toThrow('It has been given up.');
    await untilGone(world);
    expect(done()).toEqual(['provision', 'deprovision']);
    expect(await a.broker.deprovision(toDeprovision())).toEqual({ is: 'absent' });
  });

  test('A bind is given up as well, and its instance stays.', async () => {
    const { world, b, deeds: done } = await twoNodes({ bind: ({ signal }) => untilAborted(signal) });
    const hasty = world.broker({ node: 'a', syncPatience: 300 });
    letWork(world, b.work);
    await hasty.broker.provision(toProvision());
    await expect(hasty.broker.bind(toBind())).rejects.toThrow('It has been given up.');
    await b.work.rest();
    expect(await hasty.broker.unbind(toUnbind())).toMatchObject({ is: expect.stringMatching(/done|absent/) });
    expect(done()).toEqual(['provision', 'bind', 'unbind']);
    expect(await hasty.broker.instance('i1')).toMatchObject({ ready: true });
  });

  test('What was done at the last moment is done, and stays.', async () => {
    const { world, b } = await twoNodes();
    const { store } = world;
    const late: Store = {
      ...store,
      async findInstance(instanceId) {
        // Between the last look at it and its giving up.
        if ((await store.findInstance(instanceId))?.operation) await b.work.tick();
        return store.findInstance(instanceId);
      },
    };
    const hasty = world.broker({ node: 'a', syncPatience: 0 }, { store: late });
    expect(await hasty.broker.provision(toProvision())).toMatchObject({
      is: 'done',
      record: { ready: true },
    });
  });

  test('When it cannot be given up, that is told to the operator, and it goes on.', async () => {
    const { world, a, b } = await twoNodes();
    const breaking: Store = {
      ...world.store,
      async findInstance(instanceId) {
        const found = await world.store.findInstance(instanceId);
        if (found) throw new Error('The database is away');
        return found;
      },
    };
    const hasty = world.broker({ node: 'a', syncPatience: 30 }, { store: breaking });
    await expect(hasty.broker.provision(toProvision())).rejects.toThrow('It goes on.');
    expect(world.events).toContainEqual(
      expect.objectContaining({ type: 'trouble', detail: expect.stringContaining('The database is away') }),
    );
    await expect(
      world.broker({ node: 'a', syncPatience: 30 }).broker.provision(toProvision()),
    ).rejects.toMatchObject({
      code: 'busy',
    });
    await b.work.tick();
    expect(await a.broker.provision(toProvision())).toMatchObject({ is: 'unchanged' });
  });

  test('An update that its node has never begun does not hinder the removal; one that it has begun does.', async () => {
    const { world, a, b, deeds: done } = await twoNodes({ update: ({ signal }) => untilAborted(signal) });
    await b.broker.provision(toProvision());
    const asked = toUpdate({ parameters: { size: 2 }, ...soon });
    expect(await a.broker.update(asked)).toMatchObject({ is: 'accepted', operation: { attempt: 0 } });
    const { id: operationId } = (await lastOf(world)) ?? {};
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
    const { world, a, b } = await twoNodes({ provision: () => mayEnd.passed.then(() => ({ done: {} })) });
    const requests = [a.broker.provision(toProvision()), a.broker.provision(toProvision())];
    letWork(world, b.work);
    mayEnd.open();
    const outcomes = await Promise.all(requests);
    expect(outcomes.map(({ is }) => is).toSorted()).toEqual(['done', 'unchanged']);
  });

  test('A failure of it is told to who asked.', async () => {
    const { world, a, b } = await twoNodes({
      provision() {
        throw new Failure('quota', 'The disk is full.');
      },
    });
    letWork(world, b.work);
    await expect(a.broker.provision(toProvision())).rejects.toThrow(
      new Failure('quota', 'The disk is full.'),
    );
  });

  test('Credentials that cannot be fetched later are waited for.', async () => {
    const { world, a, b } = await twoNodes({}, [aPlan({ bindingsRetrievable: false })]);
    letWork(world, b.work);
    await a.broker.provision(toProvision());
    expect(await a.broker.bind(toBind(soon))).toMatchObject({
      is: 'done',
      record: { confidential: { answer: { credentials: { password: expect.any(String) } } } },
    });
  });

  test('A deprovision elsewhere ends its create, and the node removes what it has made.', async () => {
    const { world, a, b, deeds: done } = await twoNodes({ provision: ({ signal }) => untilAborted(signal) });
    const given = b.broker.provision(toProvision({ ...soon }));
    expect(await given).toMatchObject({ is: 'accepted' });
    letWork(world, b.work);
    expect(await a.broker.deprovision(toDeprovision())).toMatchObject({ is: 'done' });
    expect(done()).toEqual(['provision', 'deprovision']);
    expect(await a.broker.deprovision(toDeprovision())).toEqual({ is: 'absent' });
  });

  test('What a node hands over when it ends waits for it, and is done when it is back.', async () => {
    let times = 0;
    const { world, a, b } = await twoNodes({
      provision: ({ signal }) => (++times === 1 ? untilAborted(signal) : { done: {} }),
    });
    await b.broker.provision(toProvision(soon));
    await b.work.handOver();
    expect(await a.work.tick()).toBe(1000);
    const back = world.broker({ node: 'b' });
    expect(await back.work.tick()).toBe(0);
    expect(await a.broker.instance('i1')).toMatchObject({ ready: true });
  });
});
