import { keyOf } from '../../../src/broker/key.ts';
import { certainAfter } from '../../../src/broker/orphans.ts';
import type { MakeWorld } from '../contract.ts';
import { anInstanceIn, begun, open, provisioning, readInstance } from './steps.ts';
import { aNodeIn, aPlacedInstance, brokersOf, type World } from './world.ts';

export function describeOrphans(makeWorld: MakeWorld): void {
  let world: World;
  beforeEach(async () => {
    world = await makeWorld();
  });

  const where = { provisioner: 'process', node: 'n1' };
  const stray = { name: 'directory a', key: keyOf('gone') };

  test('What an instance stands for, by its id or its key, is no suspect, in whatever state it is.', async () => {
    const id = 'añ 👍🏽 id';
    await anInstanceIn(world.store, { id });
    await open(world.store, provisioning({ id: 'i2' }));
    const found = [
      { name: 'by id', instanceId: id },
      { name: 'by key', key: keyOf(id) },
      { name: 'by both', instanceId: 'i2', key: keyOf('i2') },
      { name: 'in the making', key: keyOf('i2') },
      { name: 'unknown id', instanceId: 'i3' },
      { name: 'nobody at all' },
      stray,
    ];
    expect(await world.orphans.look(where, found)).toEqual([]);
    const asked = await Promise.all(found.map((thing) => world.orphans.isNobodys(where, thing)));
    expect(asked).toEqual([false, false, false, false, true, true, true]);
    expect(await world.orphans.list()).toEqual(
      [
        { provisioner: 'process', node: 'n1', thing: stray },
        { provisioner: 'process', node: 'n1', thing: { name: 'nobody at all' } },
        { provisioner: 'process', node: 'n1', thing: { name: 'unknown id', instanceId: 'i3' } },
      ].map((suspect) => ({
        ...suspect,
        firstSeenAt: expect.any(Date),
        final: false,
        condemned: false,
      })),
    );
  });

  test('What an instance of another node has left here is a suspect.', async () => {
    await aNodeIn(world);
    await aPlacedInstance(world);
    const left = { name: 'left', key: keyOf('i1') };
    for (const node of ['n1', 'n2']) {
      await world.orphans.look({ provisioner: 'process', node }, [left]);
      expect(await world.orphans.isNobodys({ provisioner: 'process', node }, left)).toBe(node === 'n2');
    }
    expect(await world.orphans.isNobodys({ provisioner: 'postgres' }, left)).toBe(false);
    await world.orphans.look({ provisioner: 'postgres' }, [left, { name: 'by id', instanceId: 'i1' }]);
    expect(await world.orphans.list()).toMatchObject([{ node: 'n2', thing: left }]);
  });

  test('A suspect is final when it is still there at a look long enough after the first.', async () => {
    await world.orphans.look(where, [stray]);
    await world.pass(certainAfter - 10_000);
    await world.orphans.look(where, [stray]);
    expect(await world.orphans.list()).toMatchObject([{ final: false }]);
    await world.pass(20_000);
    expect(await world.orphans.list()).toMatchObject([{ final: false }]);
    await world.orphans.look(where, [stray]);
    expect(await world.orphans.list()).toMatchObject([{ final: true }]);
  });

  test('What is not found any more, or has got an instance, is forgotten; when it comes again it begins anew.', async () => {
    const other = { name: 'directory b', instanceId: 'i1' };
    await world.orphans.look(where, [stray, other]);
    await world.orphans.look({ provisioner: 'process', node: 'n2' }, [stray]);
    await world.orphans.look({ provisioner: 'postgres' }, [{ name: 'database a' }]);
    await world.pass(certainAfter);
    await anInstanceIn(world.store);
    await world.orphans.look(where, [other]);
    expect(await world.orphans.list()).toMatchObject([
      { provisioner: 'postgres', thing: { name: 'database a' } },
      { provisioner: 'process', node: 'n2' },
    ]);
    expect((await world.orphans.list())[0]).not.toHaveProperty('node');
    await world.orphans.look(where, [stray]);
    expect((await world.orphans.list()).map(({ final }) => final)).toEqual([false, false, false]);
    await world.orphans.look({ provisioner: 'postgres' }, []);
    expect(await world.orphans.list()).toHaveLength(2);
  });

  test('Only a final suspect can be condemned, and every look gives it until it is gone.', async () => {
    await world.orphans.look(where, [stray]);
    expect(await world.orphans.condemn(where, stray.name)).toBe(false);
    await world.pass(certainAfter);
    expect(await world.orphans.look(where, [stray])).toEqual([]);
    expect(await world.orphans.condemn({ provisioner: 'process' }, stray.name)).toBe(false);
    expect(await world.orphans.condemn(where, 'directory z')).toBe(false);
    expect(await world.orphans.condemn(where, stray.name)).toBe(true);
    expect(await world.orphans.list()).toMatchObject([{ condemned: true }]);
    expect(await world.orphans.look(where, [stray, { name: 'another' }])).toEqual([stray]);
    expect(await world.orphans.look(where, [stray])).toEqual([stray]);
    expect(await world.orphans.look(where, [])).toEqual([]);
    expect(await world.orphans.look(where, [stray])).toEqual([]);
  });

  test('What was condemned is safe when an instance stands for it again, or under its name something else.', async () => {
    const thing = { name: 'directory c', instanceId: 'i1' };
    for (const ms of [0, certainAfter]) {
      await world.pass(ms);
      await world.orphans.look(where, [stray, thing]);
    }
    for (const { name } of [stray, thing]) expect(await world.orphans.condemn(where, name)).toBe(true);
    await anInstanceIn(world.store);
    expect(await world.orphans.look(where, [{ ...stray, key: keyOf('other') }, thing])).toEqual([]);
    expect(await world.orphans.list()).toMatchObject([{ final: false, condemned: false }]);
  });

  test('A thing becomes a suspect only when its instance is gone, not while it goes.', async () => {
    const put = await anInstanceIn(world.store);
    await open(world.store, { operation: begun('deprovision'), leaseMs: 0, instance: { put } });
    await world.orphans.look(where, [{ name: 'directory', key: keyOf('i1') }]);
    expect(await world.orphans.list()).toEqual([]);
    const held = await world.store.claim('worker', 0);
    if (held) await world.store.settle(held, { instance: { remove: await readInstance(world.store) } });
    await world.orphans.look(where, [{ name: 'directory', key: keyOf('i1') }]);
    expect(await world.orphans.list()).toHaveLength(1);
  });

  test('Several may look at once.', async () => {
    const found = [stray, { name: 'b' }, { name: 'c' }];
    const broker = brokersOf(world);
    await Promise.all(
      Array.from({ length: 8 }, (_, n) => broker(n).orphans.look(where, n % 3 ? found : found.toReversed())),
    );
    expect(await world.orphans.list()).toHaveLength(3);
  });
}
