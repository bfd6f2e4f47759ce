import { once } from 'node:events';
import { connect } from 'node:net';
import { hashPassword, isPassword, readPasswordHash } from '../../src/program/principals/password-hash.ts';
import type { HashedLogin } from '../../src/protocols/protocol.ts';
import { aServer, showing, type Running } from './test-server.ts';

/** How long a refusal takes tells nothing of the password: nobody finds it sign by sign. */

let running: Running;
let calls = 0;

beforeAll(async () => {
  const accounts = [await account('acme', 'the password of acme'), await account('blue', 'that of blue')];
  running = await aServer(showing(), {
    logins: [{ username: 'user', password: 'a-long-password' }],
    further: { accounts: () => accounts },
  });
});
afterAll(() => running.server.close());

async function account(username: string, password: string): Promise<HashedLogin> {
  const known = readPasswordHash(await hashPassword(password));
  if (!known) throw new Error('It was just made.');
  return { username, passwords: [(given) => isPassword(given, known)] };
}

/** Milliseconds until it is refused. Each comes from an address of its own: who fails often is slowed on purpose. */
async function refusalOf(login: string): Promise<number> {
  calls += 1;
  const localAddress = `127.9.${calls >> 8}.${calls & 255 || 1}`;
  const socket = connect({ port: running.port, host: '127.0.0.1', localAddress });
  await once(socket, 'connect');
  const authorization = `Authorization: Basic ${Buffer.from(login).toString('base64')}`;
  const begun = performance.now();
  socket.write(`GET /things HTTP/1.1\r\nHost: x\r\n${authorization}\r\nConnection: close\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  const took = performance.now() - begun;
  expect(answer.toString('latin1')).toMatch(/^HTTP\/1.1 401 /);
  socket.destroy();
  return took;
}

/**
 * In turns, so that a moment in which the machine is busy hits all of them; and of each kind what one in ten takes less
 * than: others may make a request slow, nobody makes it fast.
 */
async function timesOf(kinds: readonly ((turn: number) => string)[], turns: number): Promise<number[]> {
  const took = kinds.map((): number[] => []);
  for (let turn = 0; turn < turns; turn++)
    for (const at of kinds.keys()) {
      const kind = (at + turn) % kinds.length;
      took[kind]?.push(await refusalOf(kinds[kind]?.(turn) ?? ''));
    }
  return took.map((all) => all.toSorted((a, b) => a - b)[Math.floor(turns / 10)] ?? NaN);
}

test.each<[what: string, kinds: readonly ((turn: number) => string)[], turns: number]>([
  [
    'of the configuration, or a name that nobody has',
    [
      (turn) => `nobody:guess-${turn}`,
      (turn) => `user:guess-${turn}`,
      (turn) => `user:a-long-passwor${turn}`,
      (turn) => `user:a-long-password${turn}`,
    ],
    150,
  ],
  [
    'of an account, whose name is no secret [decision 99]',
    [
      (turn) => `acme:guess-${turn}`,
      (turn) => `acme:the password of acm${turn}`,
      (turn) => `acme:the password of acme${turn}`,
      (turn) => `blue:${'x'.repeat(1000)}${turn}`,
    ],
    20,
  ],
])('A refusal takes as long however nearly right the password is: %s.', async (_what, kinds, turns) => {
  const times = await timesOf(kinds, turns);
  // To check the password of an account takes a hundred times as long as not to.
  expect(Math.max(...times) / Math.min(...times)).toBeLessThan(3);
});
