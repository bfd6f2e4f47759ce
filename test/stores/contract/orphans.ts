import { keyOf } from '../../../src/broker/key.ts';
import { certainAfter } from '../../../src/broker/orphans.ts';
import type { MakeRemembered } from './remembered.ts';
import { anInstanceIn, begun, open, provisioning, readInstance } from './steps.ts';
import { aNodeIn, aPlacedInstance, brokersOf, type Remembered } from './remembered.ts';

export function describeOrphans(makeRemembered: MakeRemembered): void {
  let remembered: Remembered;
  beforeEach(async () => {
    remembered = await makeRemembered();
  });

  const where = { provisioner: 'process', node: 'n1' };
  const stray = { name: 'directory a', key: keyOf('gone') };

  test('What an instance stands for, by its id or its key, is no suspect, in whatever state it is.', async () => {
    const id = 'añ 👍🏽 id';
    await anInstanceIn(remembered.store, { id });
    await open(remembered.store, provisioning({ id: 'i2' }));
    const found = [
      { name: 'by id', instanceId: id },
      { name: 'by key', key: keyOf(id) },
      { name: 'by both', instanceId: 'i2', key: keyOf('i2') },
      { name: 'in the making', key: keyOf('i2') },
      { name: 'unknown id', instanceId: 'i3' },
      { name: 'nobody at all' },
      stray,
    ];
    expect(await remembered.orphans.look(where, found)).toEqual([]);
    const asked = await Promise.all(found.map((thing) => remembered.orphans.isNobodys(where, thing)));
    expect(asked).toEqual([false, false, false, false, true, true, true]);
    expect(await remembered.orphans.list()).toEqual(
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
    await aNodeIn(remembered);
    await aPlacedInstance(remembered);
    const left = { name: 'left', key: keyOf('i1') };
    for (const node of ['n1', 'n2']) {
      await remembered.orphans.look({ provisioner: 'process', node }, [left]);
      expect(await remembered.orphans.isNobodys({ provisioner: 'process', node }, left)).toBe(node === 'n2');
    }
    expect(await remembered.orphans.isNobodys({ provisioner: 'postgres' }, left)).toBe(false);
    await remembered.orphans.look({ provisioner: 'postgres' }, [left, { name: 'by id', instanceId: 'i1' }]);
    expect(await remembered.orphans.list()).toMatchObject([{ node: 'n2', resource: left }]);
  });

  test('What a former life of an id has left is a suspect, and nothing of the present one is.', async () => {
    const key = keyOf('i1', 'second life');
    await anInstanceIn(remembered.store, { id: 'i1', key });
    const ours = { name: 'ours', instanceId: 'i1', key };
    const former = [
      { name: 'of broker 0.1.0', instanceId: 'i1', key: keyOf('i1') },
      { name: 'of another life', instanceId: 'i1', key: keyOf('i1', 'first life') },
    ];
    await remembered.orphans.look(where, [ours, ...former]);
    expect((await remembered.orphans.list()).map(({ resource: thing }) => thing)).toEqual(
      former.toSorted(byName),
    );
    const asked = await Promise.all(
      [ours, ...former].map((thing) => remembered.orphans.isNobodys(where, thing)),
    );
    expect(asked).toEqual([false, true, true]);
  });

  test('What was lost with its node is a suspect wherever it comes to light, and what is made anew is none.', async () => {
    await aNodeIn(remembered);
    const { key } = await aPlacedInstance(remembered, { id: 'i1', key: keyOf('i1', 'lost') });
    await remembered.pass(31_000);
    await remembered.nodes.forget('n1', true);
    const left = { name: 'left', instanceId: 'i1', ...(key === undefined ? {} : { key }) };
    for (const node of ['n1', 'n2'])
      expect(await remembered.orphans.isNobodys({ ...where, node }, left)).toBe(true);
    const lost = await readInstance(remembered.store, 'i1');
    await aNodeIn(remembered);
    const anew = keyOf('i1', 'anew');
    const put = { ...lost, key: anew, place: { node: 'n1', cost: 1 } };
    expect(
      await remembered.store.open({ operation: begun('provision'), leaseMs: 1000, instance: { put } }),
    ).toBe(true);
    expect(await readInstance(remembered.store, 'i1')).toMatchObject({
      key: anew,
      lost: { node: 'n1', key },
    });
    expect(await remembered.orphans.isNobodys(where, left)).toBe(true);
    expect(await remembered.orphans.isNobodys(where, { ...left, key: anew })).toBe(false);
  });

  test('A suspect is final when it is still there at a look long enough after the first.', async () => {
    await remembered.orphans.look(where, [stray]);
    await remembered.pass(certainAfter - 10_000);
    await remembered.orphans.look(where, [stray]);
    expect(await remembered.orphans.list()).toMatchObject([{ final: false }]);
    await remembered.pass(20_000);
    expect(await remembered.orphans.list()).toMatchObject([{ final: false }]);
    await remembered.orphans.look(where, [stray]);
    expect(await remembered.orphans.list()).toMatchObject([{ final: true }]);
  });

  test('What is not found any more, or has got an instance, is forgotten; when it comes again it begins anew.', async () => {
    const other = { name: 'directory b', instanceId: 'i1' };
    await remembered.orphans.look(where, [stray, other]);
    await remembered.orphans.look({ provisioner: 'process', node: 'n2' }, [stray]);
    await remembered.orphans.look({ provisioner: 'postgres' }, [{ name: 'database a' }]);
    await remembered.pass(certainAfter);
    await anInstanceIn(remembered.store);
    await remembered.orphans.look(where, [other]);
    expect(await remembered.orphans.list()).toMatchObject([
      { provisioner: 'postgres', resource: { name: 'database a' } },
      { provisioner: 'process', node: 'n2' },
    ]);
    expect((await remembered.orphans.list())[0]).not.toHaveProperty('node');
    await remembered.orphans.look(where, [stray]);
    expect((await remembered.orphans.list()).map(({ final }) => final)).toEqual([false, false, false]);
    await remembered.orphans.look({ provisioner: 'postgres' }, []);
    expect(await remembered.orphans.list()).toHaveLength(2);
  });

  test('Only a final suspect can be approved for removal, and every look gives it until it is gone.', async () => {
    await remembered.orphans.look(where, [stray]);
    expect(await remembered.orphans.approveRemoval(where, stray.name)).toBe(false);
    await remembered.pass(certainAfter);
    expect(await remembered.orphans.look(where, [stray])).toEqual([]);
    expect(await remembered.orphans.approveRemoval({ provisioner: 'process' }, stray.name)).toBe(false);
    expect(await remembered.orphans.approveRemoval(where, 'directory z')).toBe(false);
    expect(await remembered.orphans.approveRemoval(where, stray.name)).toBe(true);
    expect(await remembered.orphans.list()).toMatchObject([{ removalApproved: true }]);
    expect(await remembered.orphans.look(where, [stray, { name: 'another' }])).toEqual([stray]);
    expect(await remembered.orphans.look(where, [stray])).toEqual([stray]);
    expect(await remembered.orphans.look(where, [])).toEqual([]);
    expect(await remembered.orphans.look(where, [stray])).toEqual([]);
  });

  test('What was approved for removal is safe when an instance stands for it again, or under its name something else.', async () => {
    const thing = { name: 'directory c', instanceId: 'i1' };
    for (const ms of [0, certainAfter]) {
      await remembered.pass(ms);
      await remembered.orphans.look(where, [stray, thing]);
    }
    for (const { name } of [stray, thing])
      expect(await remembered.orphans.approveRemoval(where, name)).toBe(true);
    await anInstanceIn(remembered.store);
    expect(await remembered.orphans.look(where, [{ ...stray, key: keyOf('other') }, thing])).toEqual([]);
    expect(await remembered.orphans.list()).toMatchObject([{ final: false, removalApproved: false }]);
  });

  test('A thing becomes a suspect only when its instance is gone, not while it goes.', async () => {
    const put = await anInstanceIn(remembered.store);
    await open(remembered.store, { operation: begun('deprovision'), leaseMs: 0, instance: { put } });
    await remembered.orphans.look(where, [{ name: 'directory', key: keyOf('i1') }]);
    expect(await remembered.orphans.list()).toEqual([]);
    const held = await remembered.store.claim('worker', 0);
    if (held)
      await remembered.store.settle(held, { instance: { remove: await readInstance(remembered.store) } });
    await remembered.orphans.look(where, [{ name: 'directory', key: keyOf('i1') }]);
    expect(await remembered.orphans.list()).toHaveLength(1);
  });

  test('Several may look at once.', async () => {
    const found = [stray, { name: 'b' }, { name: 'c' }];
    const broker = brokersOf(remembered);
    await Promise.all(
      Array.from({ length: 8 }, (_, n) => broker(n).orphans.look(where, n % 3 ? found : found.toReversed())),
    );
    expect(await remembered.orphans.list()).toHaveLength(3);
  });
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
