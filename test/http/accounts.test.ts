import type { HashedLogin } from '../../src/protocols/protocol.ts';
import { Crowded, createTurns } from '../../src/http/turns.ts';
import { createRates } from '../../src/http/rates.ts';
import { aServer, showing, type Running } from './test-server.ts';

/** Accounts, whose passwords are not known: each is checked by a function, which takes its time. */

let accounts: readonly HashedLogin[];
let checked: string[];
/** A check waits for it. */
let gate: Promise<void>;
let running: Running;

function account(username: string, ...passwords: readonly string[]): HashedLogin {
  const checkOf = (right: string) => async (given: string) => {
    checked.push(`${username}:${given}`);
    await gate;
    return given === right;
  };
  return { username, passwords: passwords.map(checkOf) };
}

beforeEach(async () => {
  accounts = [account('acme', 'old', 'new'), account('blue', 'sky')];
  checked = [];
  gate = Promise.resolve();
  running = await aServer(showing(), { further: { accounts: () => accounts } });
});
afterEach(() => running.server.close());

async function statusWith(text: string): Promise<number> {
  const authorization = `Basic ${Buffer.from(text).toString('base64')}`;
  return (await running.ask('/things', { headers: { authorization } })).status;
}

test('An account is let in by each of its passwords, as itself, and by no other.', async () => {
  expect(await statusWith('acme:old')).toBe(200);
  expect(await statusWith('acme:new')).toBe(200);
  expect(await statusWith('acme:sky')).toBe(401);
  expect(await statusWith('nobody:old')).toBe(401);
  expect(running.accesses.map(({ principal, triedUser }) => principal ?? triedUser)).toEqual([
    'acme',
    'acme',
    'acme',
    expect.stringMatching(/^unknown-/),
  ]);
});

test('A body arrives whole although the password of an account is checked first.', async () => {
  const authorization = `Basic ${Buffer.from('blue:sky').toString('base64')}`;
  const answer = await running.ask('/things/1', {
    method: 'PUT',
    body: JSON.stringify({ text: 'x'.repeat(100_000) }),
    headers: { authorization, 'content-type': 'application/json' },
  });
  expect(await answer.json()).toMatchObject({ user: 'blue', body: { text: 'x'.repeat(100_000) } });
});

test('What was checked once is remembered, be it right or wrong, until the accounts change.', async () => {
  for (let times = 0; times < 3; times += 1) {
    expect(await statusWith('blue:sky')).toBe(200);
    expect(await statusWith('blue:rain')).toBe(401);
  }
  expect(checked).toEqual(['blue:sky', 'blue:rain']);
  accounts = [account('blue', 'rain')];
  expect(await statusWith('blue:sky')).toBe(401);
  expect(await statusWith('blue:rain')).toBe(200);
  expect(checked).toHaveLength(4);
});

test('A login that comes many times at once is checked once.', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  gate = promise;
  const all = Array.from({ length: 10 }, () => statusWith('blue:sky'));
  setTimeout(resolve, 50);
  expect(await Promise.all(all)).toEqual(Array.from({ length: 10 }, () => 200));
  expect(checked).toEqual(['blue:sky']);
});

test('While somebody at the same address guesses, who was let in before is let in without a wait, and others after a few checks.', async () => {
  expect(await statusWith('blue:sky')).toBe(200);
  const { promise, resolve } = Promise.withResolvers<void>();
  gate = promise;
  const guesses = Array.from({ length: 40 }, (_none, index) => statusWith(`acme:guess-${index}`));
  // None of the guesses has been answered.
  expect(await statusWith('blue:sky')).toBe(200);
  accounts = [...accounts, account('green', 'leaf')];
  const late = statusWith('green:leaf');
  resolve();
  expect(await late).toBe(200);
  const statuses = await Promise.all(guesses);
  expect(new Set(statuses)).toEqual(new Set([401, 429]));
});

test('Tasks of a lane wait for one of each other lane at most, the latest goes first, and what is too much is turned away.', async () => {
  const turns = createTurns(1);
  const { promise, resolve } = Promise.withResolvers<void>();
  const done: string[] = [];
  const put = (lane: string, name: string) =>
    turns.take(lane, async () => {
      await promise;
      done.push(name);
    });
  const first = put('a', 'a0');
  const many = Array.from({ length: 20 }, (_none, index) => put('a', `a${index + 1}`));
  const other = put('b', 'b0');
  resolve();
  const ended = await Promise.allSettled([first, ...many, other]);
  expect(done.slice(0, 3)).toEqual(['a0', 'a20', 'b0']);
  const turnedAway = ended.filter((one) => one.status === 'rejected').map(({ reason }) => reason as unknown);
  expect(turnedAway).toHaveLength(4);
  expect(turnedAway.every((reason) => reason instanceof Crowded)).toBe(true);
});

test('Who asks more often than its rate lets it is told when to come again, and nobody else notices.', async () => {
  const limitOf = ({ principal = '' }) =>
    principal === 'acme' ? { counted: 'acme', rate: { requests: 2, perMs: 3_600_000 } } : undefined;
  const limited = await aServer(showing(), { further: { accounts: () => accounts, limitOf } });
  const ask = (login: string) =>
    limited.ask('/things', { headers: { authorization: `Basic ${Buffer.from(login).toString('base64')}` } });
  try {
    // Whoever guesses uses up nothing of it.
    for (let times = 0; times < 5; times += 1) expect((await ask('acme:guess')).status).toBe(401);
    expect([(await ask('acme:old')).status, (await ask('acme:new')).status]).toEqual([200, 200]);
    const refused = await ask('acme:old');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(1700);
    expect(await refused.json()).toEqual({
      description: 'There are more requests with this login than are served. Try again later.',
    });
    expect(limited.accesses.at(-1)).toMatchObject({ principal: 'acme', status: 429 });
    for (let times = 0; times < 5; times += 1) expect((await ask('blue:sky')).status).toBe(200);
  } finally {
    await limited.server.close();
  }
});

test('Of a rate there is as much again as time has gone by, at most that of one period, and it may change.', () => {
  let now = 0;
  const take = createRates(() => now);
  const rate = { requests: 10, perMs: 1000 };
  const served = () =>
    Array.from({ length: 20 }, () => take('a', rate)).filter((waitMs) => waitMs === 0).length;
  expect(served()).toBe(10);
  expect(take('a', rate)).toBe(100);
  now += 250;
  expect(served()).toBe(2);
  expect(take('a', rate)).toBe(50);
  now += 3_600_000;
  expect(served()).toBe(10);
  now += 1000;
  expect([take('a', { requests: 1, perMs: 1000 }), take('a', { requests: 1, perMs: 1000 })]).toEqual([
    0, 1000,
  ]);
});
