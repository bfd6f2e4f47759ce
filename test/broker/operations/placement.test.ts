import { Failure } from '../../../src/broker/errors.ts';
import { aPlan, toDeprovision, toProvision, toUpdate } from '../fixtures.ts';
import { coreInMemory, gate, scripted, type CoreInMemory } from '../core-in-memory.ts';
import { lastOf } from '../last-operation.ts';
import { local, twoNodes } from './two-nodes.ts';

/** Where instances are made, and what stands in the way. */

const soon = { acceptsIncomplete: true };
const costing = (cost: number) => aPlan({ operating: { cost } });

async function placeOf(core: CoreInMemory, instanceId = 'i1') {
  return (await core.store.findInstance(instanceId))?.instance.place;
}

async function usedOf(core: CoreInMemory, name: string): Promise<number | undefined> {
  return (await core.nodes.list()).find((node) => node.name === name)?.used;
}

describe('Room', () => {
  test('A local instance is made on the node with the most free capacity, and takes its cost of it.', async () => {
    const { core, b } = await twoNodes({}, [costing(4)]);
    expect(await b.broker.provision(toProvision())).toMatchObject({
      is: 'done',
      record: { ready: true, place: { node: 'b', cost: 4 } },
    });
    expect(await lastOf(core)).toMatchObject({ node: 'b' });
    await b.broker.provision(toProvision({ instanceId: 'i2', ...soon }));
    expect(await placeOf(core, 'i2')).toEqual({ node: 'a', cost: 4 });
    expect([await usedOf(core, 'a'), await usedOf(core, 'b')]).toEqual([4, 4]);
    await b.broker.deprovision(toDeprovision());
    expect(await usedOf(core, 'b')).toBe(0);
  });

  test('An instance that is not local is of no node, and any broker carries what is asked of it.', async () => {
    const core = coreInMemory(scripted({}).provisioner);
    await core.beat({ name: 'b' });
    const { broker } = core.broker();
    expect(await broker.provision(toProvision())).toMatchObject({ is: 'done' });
    expect(await placeOf(core)).toBeUndefined();
    expect((await lastOf(core))?.node).toBeUndefined();
  });

  test.each<[string, string, (core: CoreInMemory) => Promise<unknown> | undefined]>([
    ['there is no node', 'No node that is running can take new instances.', () => undefined],
    [
      'the only node is draining',
      'No node that is running can take new instances.',
      async (core) => {
        await core.beat({ name: 'a', executables: ['redis-server', 'redis-cli'] });
        await core.nodes.drain('a', true);
      },
    ],
    [
      'the only node has been silent for long',
      'No node that is running can take new instances.',
      async (core) => {
        await core.beat({ name: 'a', executables: ['redis-server', 'redis-cli'] });
        core.pass(31_000);
      },
    ],
    [
      'no node has all executables',
      'No node that can take new instances has all that this needs: redis-server, redis-cli.',
      (core) => core.beat({ name: 'a', executables: ['redis-server'] }),
    ],
    [
      'no node has so much room',
      "No node has room for this: it takes 4 of a node's capacity, and none has that much left.",
      (core) => core.beat({ name: 'a', capacity: 3, executables: ['redis-server', 'redis-cli'] }),
    ],
  ])(
    'When %s, a provision is refused with "%s", and nothing is written.',
    async (_when, sentence, prepare) => {
      const { provisioner, asked } = scripted({}, local);
      const plan = aPlan({ operating: { cost: 4, executables: ['redis-server', 'redis-cli'] } });
      const core = coreInMemory(provisioner, [plan]);
      await prepare(core);
      const { broker } = core.broker({ node: 'a' });
      const refusal = { code: 'invalid', message: sentence };
      await expect(broker.provision(toProvision())).rejects.toMatchObject(refusal);
      await expect(broker.provision(toProvision(soon))).rejects.toMatchObject(refusal);
      expect(asked).toEqual([]);
      expect(await core.store.findInstance('i1')).toBeUndefined();
      expect(await lastOf(core)).toBeUndefined();
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
      const core = coreInMemory(provisioner, [aPlan({ operating: { maxInstances } })]);
      await core.beat({ name: 'a' });
      const { broker } = core.broker({ node: 'a' });
      const ask = (number: number) => broker.provision(toProvision({ instanceId: `i${number}` }));
      const asked = await Promise.allSettled([1, 2, 3, 4, 5].map(ask));
      expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(maxInstances);
      await expect(ask(6)).rejects.toMatchObject({ code: 'invalid', message });
      const [made] = await core.store.list({ limit: 1 });
      await broker.deprovision(toDeprovision({ instanceId: made?.instance.id ?? '' }));
      expect(await ask(6)).toMatchObject({ is: 'done' });
    },
  );

  test('Of ten provisions at once, those get room for which there is any, and what is deleted gives it back.', async () => {
    const { provisioner } = scripted({}, local);
    const core = coreInMemory(provisioner);
    await core.beat({ name: 'a', capacity: 3 });
    const { broker } = core.broker({ node: 'a' });
    for (let round = 0; round < 2; round += 1) {
      const ids = Array.from({ length: 10 }, (_none, index) => `i${index}`);
      const asked = await Promise.allSettled(
        ids.map((instanceId) => broker.provision(toProvision({ instanceId }))),
      );
      expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
      expect(await usedOf(core, 'a')).toBe(3);
      await Promise.all(ids.map((instanceId) => broker.deprovision(toDeprovision({ instanceId }))));
      expect(await usedOf(core, 'a')).toBe(0);
    }
  });
});

describe('A create that failed', () => {
  test('A create that failed takes no room and is of no node once it is undone, so it is deleted even when that node is gone.', async () => {
    let times = 0;
    const { core, a, b, deeds } = await twoNodes({
      provision() {
        if (++times === 1) throw new Failure('odd', 'It failed.');
        return { done: {} };
      },
    });
    await expect(b.broker.provision(toProvision())).rejects.toThrow('It failed.');
    expect(deeds()).toEqual(['provision', 'deprovision']);
    expect(await usedOf(core, 'b')).toBe(0);
    expect(await placeOf(core)).toBeUndefined();
    expect(await a.broker.deprovision(toDeprovision())).toMatchObject({ is: 'done' });
    expect(await a.broker.deprovision(toDeprovision())).toEqual({ is: 'absent' });
    expect(deeds()).toEqual(['provision', 'deprovision']);
  });

  test('Once undone, it is made again wherever there is room.', async () => {
    let times = 0;
    const { core, a, b } = await twoNodes({
      provision() {
        if (++times === 1) throw new Failure('odd', 'It failed.');
        return { done: {} };
      },
    });
    await expect(b.broker.provision(toProvision())).rejects.toThrow('It failed.');
    await core.nodes.drain('b', true);
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
    const { core, a, b, asked, mend } = await halfUndone();
    expect(await placeOf(core)).toMatchObject({ node: 'b' });
    expect(await usedOf(core, 'b')).toBe(0);
    await a.broker.deprovision(toDeprovision(soon));
    expect(await a.work.tick()).toBeGreaterThan(0);
    expect(await b.work.tick()).toBe(0);
    expect(asked.at(-1)).toMatchObject({ deed: 'deprovision', work: { trace: { pid: 7 } } });
    expect(await lastOf(core)).toMatchObject({ state: 'failed' });
    mend();
    await a.broker.deprovision(toDeprovision(soon));
    expect(await b.work.tick()).toBe(0);
    expect(asked.at(-1)).toMatchObject({ deed: 'deprovision', work: { trace: { pid: 7 } } });
    expect(await a.broker.deprovision(toDeprovision())).toEqual({ is: 'absent' });
  });

  test('What could not be undone is made again where it is.', async () => {
    const { core, a } = await halfUndone();
    await core.nodes.drain('b', true);
    await a.broker.provision(toProvision(soon));
    expect(await placeOf(core)).toMatchObject({ node: 'b' });
    expect(await lastOf(core)).toMatchObject({ kind: 'provision', node: 'b', state: 'in progress' });
  });
});

describe('A change of plan', () => {
  const plans = [costing(1), aPlan({ id: 'large', operating: { cost: 6 } })];
  const grow = toUpdate({ planId: 'large' });

  test('A change of plan takes the room of the new plan on its own node, and gives it back.', async () => {
    const { core, b } = await twoNodes({}, plans);
    await b.broker.provision(toProvision());
    expect(await b.broker.update(grow)).toMatchObject({ record: { place: { node: 'b', cost: 6 } } });
    expect(await usedOf(core, 'b')).toBe(6);
    await b.broker.update(toUpdate({ planId: 'small' }));
    expect(await usedOf(core, 'b')).toBe(1);
  });

  test('A change of plan is refused when its node has not that much left, whatever others have, and nothing changes.', async () => {
    const { core, b, deeds } = await twoNodes({}, plans);
    await b.broker.provision(toProvision());
    await core.beat({ name: 'a', capacity: 100 });
    await core.beat({ name: 'b', capacity: 5 });
    await expect(b.broker.update(grow)).rejects.toMatchObject({
      code: 'invalid',
      message: "The node has no room for this: it takes 6 of the node's capacity, and not that much is left.",
    });
    expect(deeds()).toEqual(['provision']);
    expect(await b.broker.instance('i1')).toMatchObject({ planId: 'small', place: { cost: 1 } });
  });

  test('A change of plan holds the room from the beginning, and one that failed gives it back.', async () => {
    const fails = gate();
    const { core, b } = await twoNodes(
      { update: () => fails.passed.then(() => Promise.reject(new Failure('odd', 'It failed.'))) },
      plans,
    );
    await b.broker.provision(toProvision());
    expect(await b.broker.update({ ...grow, ...soon })).toMatchObject({ is: 'accepted' });
    await b.broker.provision(toProvision({ instanceId: 'i2', ...soon }));
    expect(await usedOf(core, 'b')).toBe(6);
    expect(await placeOf(core, 'i2')).toMatchObject({ node: 'a' });
    fails.open();
    await b.work.rest();
    expect(await lastOf(core)).toMatchObject({ kind: 'update', state: 'failed' });
    expect(await placeOf(core)).toEqual({ node: 'b', cost: 1 });
    expect(await usedOf(core, 'b')).toBe(1);
  });
});
