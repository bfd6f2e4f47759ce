import { portQuarantine, portRest } from '../../../src/broker/nodes.ts';
import type { MakeRemembered } from './remembered.ts';
import { numbered } from './steps.ts';
import { aNodeIn, brokersOf, type Remembered } from './remembered.ts';

export function describePorts(makeRemembered: MakeRemembered): void {
  let remembered: Remembered;
  beforeEach(async () => {
    remembered = await makeRemembered();
  });

  async function portsFree(): Promise<number | undefined> {
    return (await remembered.nodes.list())[0]?.portsFree;
  }

  test('Each name gets a port of the range, and the same one when it is asked for again.', async () => {
    await aNodeIn(remembered, { ports: { first: 20_000, last: 20_002 } });
    const taken = await remembered.ports.take('n1', 'i1', ['main', 'admin']);
    expect(Object.keys(taken ?? {}).toSorted()).toEqual(['admin', 'main']);
    expect(new Set(Object.values(taken ?? {})).size).toBe(2);
    expect(await remembered.ports.take('n1', 'i1', ['admin', 'main'])).toEqual(taken);
    const more = await remembered.ports.take('n1', 'i1', ['main', 'extra']);
    expect(more?.['main']).toBe(taken?.['main']);
    expect([more?.['extra'], ...Object.values(taken ?? {})].toSorted(byNumber)).toEqual([
      20_000, 20_001, 20_002,
    ]);
    expect(await remembered.ports.take('n1', 'i1', [])).toEqual({});
  });

  test('Numbers are drawn at random.', async () => {
    await aNodeIn(remembered, { ports: { first: 20_000, last: 29_999 } });
    const taken = await remembered.ports.take('n1', 'i1', numbered(5).map(String));
    const numbers = Object.values(taken ?? {}).toSorted(byNumber);
    expect(numbers.every((port) => port >= 20_000 && port <= 29_999)).toBe(true);
    expect(numbers.at(-1)).not.toBe(20_004);
  });

  test('Nodes have their own numbers; on one that is not known there are none.', async () => {
    for (const name of ['n1', 'n2'])
      await aNodeIn(remembered, { name, ports: { first: 20_000, last: 20_000 } });
    expect(await remembered.ports.take('n1', 'i1', ['main'])).toEqual({ main: 20_000 });
    expect(await remembered.ports.take('n2', 'i1', ['main'])).toEqual({ main: 20_000 });
    expect(await remembered.ports.take('n3', 'i1', ['main'])).toBeUndefined();
  });

  test('When there are not enough, none is taken.', async () => {
    await aNodeIn(remembered, { ports: { first: 20_000, last: 20_002 } });
    await remembered.ports.take('n1', 'i1', ['main']);
    expect(await remembered.ports.take('n1', 'i2', ['a', 'b', 'c'])).toBeUndefined();
    expect(await portsFree()).toBe(2);
    expect(await remembered.ports.take('n1', 'i1', ['main', 'a', 'b', 'c'])).toBeUndefined();
    expect(await remembered.ports.take('n1', 'i2', ['a', 'b'])).toBeDefined();
  });

  test('Of 120 who ask at once for one of 100, a hundred get different ones.', async () => {
    await aNodeIn(remembered);
    const broker = brokersOf(remembered);
    const all = await Promise.all(numbered(120).map((n) => broker(n).ports.take('n1', `i${n}`, ['main'])));
    const taken = all.flatMap((ports) => ports?.['main'] ?? []);
    expect(taken).toHaveLength(100);
    expect(new Set(taken).size).toBe(100);
    expect(await portsFree()).toBe(0);
  });

  test('Of those who ask at once for several each, none gets a part.', async () => {
    await aNodeIn(remembered, { ports: { first: 20_000, last: 20_009 } });
    const broker = brokersOf(remembered);
    const names = ['a', 'b', 'c', 'd'];
    const all = await Promise.all(numbered(6).map((n) => broker(n).ports.take('n1', `i${n}`, names)));
    expect(all.filter(Boolean)).toHaveLength(2);
    expect(await portsFree()).toBe(2);
  });

  test('Of those who ask at once, some for one and some for several, all get different ones and nobody a part.', async () => {
    await aNodeIn(remembered, { ports: { first: 20_000, last: 20_029 } });
    const broker = brokersOf(remembered);
    const all = await Promise.all(
      numbered(24).map((n) =>
        broker(n).ports.take('n1', `i${n}`, n % 2 === 0 ? ['main'] : ['main', 'a', 'b', 'c']),
      ),
    );
    const taken = all.filter((ports) => ports !== undefined).map((ports) => Object.values(ports));
    const numbers = taken.flat();
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(await portsFree()).toBe(30 - numbers.length);
    expect(taken.filter(({ length }) => ![1, 4].includes(length))).toEqual([]);
    expect(taken.length).toBeLessThan(all.length);
  });

  test('Ports that are asked for several times at once for the same are the same.', async () => {
    await aNodeIn(remembered);
    const broker = brokersOf(remembered);
    const all = await Promise.all(numbered(6).map((n) => broker(n).ports.take('n1', 'i1', ['main'])));
    expect(all).toEqual(numbered(6).map(() => all[0]));
  });

  test('A free number is found soon where almost all are taken.', async () => {
    await aNodeIn(remembered, { ports: { first: 20_000, last: 24_999 } });
    await remembered.ports.take('n1', 'many', numbered(4990).map(String));
    const begin = performance.now();
    for (const n of numbered(10)) expect(await remembered.ports.take('n1', `i${n}`, ['main'])).toBeDefined();
    expect((performance.now() - begin) / 10).toBeLessThan(500);
    expect(await remembered.ports.take('n1', 'last', ['main'])).toBeUndefined();
  });

  test('What was given back rests before another one gets it.', async () => {
    await aNodeIn(remembered, { ports: { first: 20_000, last: 20_001 } });
    await remembered.ports.take('n1', 'i1', ['main', 'admin']);
    await remembered.ports.release('n1', 'i1');
    await remembered.ports.release('n1', 'i1');
    expect(await portsFree()).toBe(0);
    expect(await remembered.ports.take('n1', 'i2', ['main'])).toBeUndefined();
    await remembered.pass(portRest - 1000);
    expect(await remembered.ports.take('n1', 'i2', ['main'])).toBeUndefined();
    await remembered.pass(2000);
    expect(await portsFree()).toBe(2);
    expect(await remembered.ports.take('n1', 'i2', ['main', 'admin'])).toBeDefined();
  });

  test('A number that a stranger has is left alone for a long while, and the instance gets another one.', async () => {
    await aNodeIn(remembered, { ports: { first: 20_000, last: 20_002 } });
    const { main: old, admin } = (await remembered.ports.take('n1', 'i1', ['main', 'admin'])) ?? {};
    const main = await remembered.ports.replace('n1', 'i1', 'main');
    expect([old, main, admin].toSorted(byNumber)).toEqual([20_000, 20_001, 20_002]);
    expect(await remembered.ports.take('n1', 'i1', ['main', 'admin'])).toEqual({ main, admin });
    expect(await remembered.ports.replace('n1', 'i1', 'main')).toBeUndefined();
    await remembered.pass(portRest + 1000);
    expect(await remembered.ports.take('n1', 'i1', ['main'])).toBeUndefined();
    await remembered.pass(portQuarantine - portRest);
    expect(await remembered.ports.take('n1', 'i1', ['main', 'admin'])).toMatchObject({ admin });
  });
}

function byNumber(a = 0, b = 0): number {
  return a - b;
}
