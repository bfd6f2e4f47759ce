import { keyOf } from '../../../src/broker/key.ts';
import { certainAfter } from '../../../src/broker/orphans.ts';
import type { MakeWorld } from './remembered.ts';
import { anInstanceIn, begun, open, provisioning, readInstance } from './steps.ts';
import { aNodeIn, aPlacedInstance, brokersOf, type World } from './remembered.ts';

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
        { provisioner: 'process', node: 'n1', resource: stray },
        { provisioner: 'process', node: 'n1', resource: { name: 'nobody at all' } },
        { provisioner: 'process', node: 'n1', resource: { name: 'unknown id', instanceId: 'i3' } },
      ].map((suspect) => ({
        ...suspect,
        firstSeenAt: expect.any(Date),
        final: false,
        removalApproved: false,
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
    expect(await world.orphans.list()).toMatchObject([{ node: 'n2', resource: left }]);
  });

  test('What a former life of an id has left is a suspect, and nothing of the present one is.', async () => {
    const key = keyOf('i1', 'second life');
    await anInstanceIn(world.store, { id: 'i1', key });
    const ours = { name: 'ours', instanceId: 'i1', key };
    const former = [
      { name: 'of broker 0.1.0', instanceId: 'i1', key: keyOf('i1') },
      { name: 'of another life', instanceId: 'i1', key: keyOf('i1', 'first life') },
    ];
    await world.orphans.look(where, [ours, ...former]);
    expect((await world.orphans.list()).map(({ resource: thing }) => thing)).toEqual(former.toSorted(byName));
    const asked = await Promise.all([ours, ...former].map((thing) => world.orphans.isNobodys(where, thing)));
    expect(asked).toEqual([false, true, true]);
  });

  test('What was lost with its node is a suspect wherever it comes to light, and what is made anew is none.', async () => {
    await aNodeIn(world);
    const { key } = await aPlacedInstance(world, { id: 'i1', key: keyOf('i1', 'lost') });
    await world.pass(31_000);
    await world.nodes.forget('n1', true);
    const left = { name: 'left', instanceId: 'i1', ...(key === undefined ? {} : { key }) };
    for (const node of ['n1', 'n2'])
      expect(await world.orphans.isNobodys({ ...where, node }, left)).toBe(true);
    const lost = await readInstance(world.store, 'i1');
    await aNodeIn(world);
    const anew = keyOf('i1', 'anew');
    const put = { ...lost, key: anew, place: { node: 'n1', cost: 1 } };
    expect(await world.store.open({ operation: begun('provision'), leaseMs: 1000, instance: { put } })).toBe(
      true,
    );
    expect(await readInstance(world.store, 'i1')).toMatchObject({ key: anew, lost: { node: 'n1', key } });
    expect(await world.orphans.isNobodys(where, left)).toBe(true);
    expect(await world.orphans.isNobodys(where, { ...left, key: anew })).toBe(false);
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
      { provisioner: 'postgres', resource: { name: 'database a' } },
      { provisioner: 'process', node: 'n2' },
    ]);
    expect((await world.orphans.list())[0]).not.toHaveProperty('node');
    await world.orphans.look(where, [stray]);
    expect((await world.orphans.list()).map(({ final }) => final)).toEqual([false, false, false]);
    await world.orphans.look({ provisioner: 'postgres' }, []);
    expect(await world.orphans.list()).toHaveLength(2);
  });

  test('Only a final suspect can be approved for removal, and every look gives it until it is gone.', async () => {
    await world.orphans.look(where, [stray]);
    expect(await world.orphans.approveRemoval(where, stray.name)).toBe(false);
    await world.pass(certainAfter);
    expect(await world.orphans.look(where, [stray])).toEqual([]);
    expect(await world.orphans.approveRemoval({ provisioner: 'process' }, stray.name)).toBe(false);
    expect(await world.orphans.approveRemoval(where, 'directory z')).toBe(false);
    expect(await world.orphans.approveRemoval(where, stray.name)).toBe(true);
    expect(await world.orphans.list()).toMatchObject([{ removalApproved: true }]);
    expect(await world.orphans.look(where, [stray, { name: 'another' }])).toEqual([stray]);
    expect(await world.orphans.look(where, [stray])).toEqual([stray]);
    expect(await world.orphans.look(where, [])).toEqual([]);
    expect(await world.orphans.look(where, [stray])).toEqual([]);
  });

  test('What was approved for removal is safe when an instance stands for it again, or under its name something else.', async () => {
    const thing = { name: 'directory c', instanceId: 'i1' };
    for (const ms of [0, certainAfter]) {
      await world.pass(ms);
      await world.orphans.look(where, [stray, thing]);
    }
    for (const { name } of [stray, thing]) expect(await world.orphans.approveRemoval(where, name)).toBe(true);
    await anInstanceIn(world.store);
    expect(await world.orphans.look(where, [{ ...stray, key: keyOf('other') }, thing])).toEqual([]);
    expect(await world.orphans.list()).toMatchObject([{ final: false, removalApproved: false }]);
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

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
