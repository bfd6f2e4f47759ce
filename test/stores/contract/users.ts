import type { MakeRemembered, Remembered } from './remembered.ts';
import { brokersOf } from './remembered.ts';
import { numbered } from './steps.ts';

export function describeUsers(makeRemembered: MakeRemembered): void {
  let remembered: Remembered;
  beforeEach(async () => {
    remembered = await makeRemembered();
  });

  const few = { first: 2_000_000_000, last: 2_000_000_002 };
  const all = [2_000_000_000, 2_000_000_001, 2_000_000_002];
  const take = (owner: string, busy?: readonly number[]) => remembered.users.take('n1', owner, few, busy);

  test('An instance has one user, the same whenever it is asked for, until it is given back.', async () => {
    const uid = await take('i1');
    expect(all).toContain(uid);
    expect(await take('i1')).toBe(uid);
    expect(await remembered.users.find('n1', 'i1')).toBe(uid);
    for (const _time of [1, 2]) await remembered.users.release('n1', 'i1');
    expect(await remembered.users.find('n1', 'i1')).toBeUndefined();
  });

  test('An instance keeps its user when the range is another one, or its user is busy.', async () => {
    const uid = await take('i1');
    expect(await remembered.users.take('n1', 'i1', { first: 2_100_000_000, last: 2_100_000_009 })).toBe(uid);
    expect(await take('i1', all)).toBe(uid);
  });

  test('A user belongs to one instance, whichever node it is on.', async () => {
    const taken = [await take('i1'), await take('i2'), await remembered.users.take('n2', 'i1', few)];
    expect(new Set(taken)).toEqual(new Set(all));
    expect(await take('i3')).toBeUndefined();
    expect(await remembered.users.find('n2', 'i2')).toBeUndefined();
    await remembered.users.release('n2', 'i2');
    expect(await take('i3')).toBeUndefined();
    await remembered.users.release('n2', 'i1');
    expect(await take('i3')).toBe(taken[2]);
  });

  test('Users that are busy are given to nobody.', async () => {
    expect(await take('i1', [2_000_000_000, 2_000_000_002])).toBe(2_000_000_001);
    expect(await take('i2', all)).toBeUndefined();
    expect(await take('i2', [5, 2_000_000_000])).toBe(2_000_000_002);
  });

  test('Users that nobody has had are given first, then the one that has rested longest.', async () => {
    const first = await take('i1');
    const second = await take('i2');
    await remembered.users.release('n1', 'i2');
    await remembered.pass(1000);
    await remembered.users.release('n1', 'i1');
    await remembered.pass(1000);
    const third = await take('i3');
    expect(new Set([first, second, third])).toEqual(new Set(all));
    expect(await take('i4')).toBe(second);
    expect(await take('i5')).toBe(first);
  });

  test('Of 60 who ask two brokers at once for one of 50 users, fifty get different ones.', async () => {
    const broker = brokersOf(remembered);
    const range = { first: 2_000_000_000, last: 2_000_000_049 };
    const asked = numbered(60).map((n) => broker(n).users.take('n1', `i${n}`, range));
    const taken = (await Promise.all(asked)).flatMap((uid) => uid ?? []);
    expect(taken).toHaveLength(50);
    expect(new Set(taken).size).toBe(50);
  });

  test('A user that is asked for several times at once for the same instance is the same.', async () => {
    const broker = brokersOf(remembered);
    const asked = await Promise.all(numbered(6).map((n) => broker(n).users.take('n1', 'i1', few)));
    expect(new Set(asked).size).toBe(1);
    expect(all).toContain(asked[0]);
  });
}
