import { setTimeout as wait } from 'node:timers/promises';
import { countFailures, pauseAfter } from '../../src/http/failed-logins.ts';
import type { Call, Protocol } from '../../src/protocols/protocol.ts';
import { aServer, login, refuse, showing, type Running } from './test-server.ts';

const calls: Call[] = [];
const watching: Protocol = {
  name: 'watching',
  open: true,
  routes: [
    {
      method: 'GET',
      path: '/open',
      handler(call) {
        calls.push(call);
        return { status: 200, body: {} };
      },
    },
  ],
  refuse,
};

let running: Running;
beforeEach(async () => {
  running = await aServer(showing(), watching);
});
afterEach(() => running.server.close());

const basic = (text: string | Buffer) => `Basic ${Buffer.from(text).toString('base64')}`;

async function statusWith(authorization: string, path = '/things') {
  return (await running.ask(path, { headers: { authorization } })).status;
}

test.each([
  ['the first login', login],
  ['the second login', basic('next:another')],
  ['AUT-08: the scheme in small letters', login.replace('Basic', 'basic')],
  ['AUT-08: the scheme in capitals', login.replace('Basic', 'BASIC')],
  ['Base64 without padding', login.replaceAll('=', '')],
  ['more blanks than needed', login.replace(' ', '   ')],
])('%s is let in.', async (_what, authorization) => {
  expect(await statusWith(authorization)).toBe(200);
});

test.each([
  ['a wrong password', basic('user:wrong')],
  ['an empty password', basic('user:')],
  ['a password cut short', basic('user:pässword:')],
  ['a password with something added', basic('user:pässword:1 ')],
  ['a password of another user', basic('user:another')],
  ['another case of the name', basic('USER:pässword:1')],
  ['an unknown user', basic('nobody:pässword:1')],
  ['the name of a member of every object', basic('__proto__:constructor')],
  ['no name', basic(':pässword:1')],
  ['nothing but a colon', basic(':')],
  ['no colon', basic('userpassword')],
  ['a password in Latin-1', basic(Buffer.from('user:pässword:1', 'latin1'))],
  ['no UTF-8 at all', basic(Buffer.from([0xff, 0xfe, 0x3a, 0xff]))],
  ['another scheme', login.replace('Basic', 'Bearer')],
  ['the scheme alone', 'Basic'],
  ['no Base64', 'Basic {}'],
  ['no scheme', login.slice('Basic '.length)],
  ['the right login twice', `${login} ${login}`],
  ['8 kB', basic('x'.repeat(6000))],
])('AUT-02, AUT-03: %s is refused with 401.', async (_what, authorization) => {
  expect(await statusWith(authorization)).toBe(401);
});

test('AUT-01, AUT-06: no login is 401 as JSON, with a challenge.', async () => {
  const answer = await fetch(`http://127.0.0.1:${running.port}/things`);
  expect(answer.status).toBe(401);
  expect(answer.headers.get('content-type')).toBe('application/json');
  expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm="/);
  expect(await answer.json()).toEqual({ description: 'A valid username and password are needed.' });
});

test.each([
  ['an unknown path', '/nothing', {}],
  ['a wrong method', '/things', { method: 'PATCH' }],
  ['bad percent encoding', '/things/%zz', {}],
  ['a malformed body', '/things/1', { method: 'PUT', body: '{{{' }],
  ['a body that is too large', '/things/1', { method: 'PUT', body: 'x'.repeat(2_000_000) }],
])('AUT-05: 401 wins over %s.', async (_what, path, init) => {
  const answer = await running.ask(path, { ...init, headers: { authorization: '' } });
  expect(answer.status).toBe(401);
});

test('A protocol that is open asks for no login, and knows of none.', async () => {
  expect(await statusWith(basic('user:wrong'), '/open')).toBe(200);
  expect(calls.at(-1)?.principal).toBeUndefined();
});

test('A handler learns the name of the user.', async () => {
  const answer = await running.ask('/things/1', { headers: { authorization: basic('next:another') } });
  expect(await answer.json()).toMatchObject({ user: 'next' });
});

test('The access log names the caller by address and user, and who was tried where the login was wrong.', async () => {
  await statusWith(login);
  await statusWith(basic('next:wrong'));
  await statusWith('');
  expect(running.accesses).toEqual([
    expect.objectContaining({ status: 200, principal: 'user', triedUser: undefined, address: '127.0.0.1' }),
    expect.objectContaining({ status: 401, principal: undefined, triedUser: 'next', address: '127.0.0.1' }),
    expect.objectContaining({ status: 401, principal: undefined, triedUser: undefined }),
  ]);
  expect(JSON.stringify(running.accesses)).not.toMatch(/wrong|pässword/);
});

test('The access log shows no name that nobody has, which may be a password, but tells that it was the same one.', async () => {
  for (const name of ['pässword:1', 'pässword', 'p\x1b[2Jx', 'x'.repeat(5000), 'pässword'])
    await statusWith(basic(`${name}:another`));
  const tried = running.accesses.map(({ triedUser }) => triedUser);
  expect(tried).toEqual(
    Array.from({ length: 5 }, () => expect.stringMatching(/^unknown-[0-9a-f]{8}$/) as string),
  );
  expect(tried.map((name) => tried.indexOf(name))).toEqual([0, 0, 2, 3, 0]);
});

test.each([
  ['nobody is trusted', 0, '127.0.0.1'],
  ['one proxy is trusted', 1, '192.0.2.7'],
  ['proxies on this machine are trusted', 'loopback', '192.0.2.7'],
])(
  'The access log knows the address of the caller by proxies where %s.',
  async (_what, trustProxy, address) => {
    const behind = await aServer(showing(), { trustProxy });
    try {
      await behind.ask('/things', { headers: { 'x-forwarded-for': '203.0.113.9, 192.0.2.7' } });
      expect(behind.accesses).toEqual([expect.objectContaining({ address })]);
    } finally {
      await behind.server.close();
    }
  },
);

test('A user of another realm is known by name where he is refused.', async () => {
  const logins = [{ username: 'operator', password: 'secret' }];
  const operating = { ...watching, open: false, realm: { name: 'Operators', logins: () => logins } };
  const both = await aServer(showing(), operating);
  try {
    await both.ask('/things', { headers: { authorization: basic('operator:secret') } });
    expect(both.accesses).toEqual([expect.objectContaining({ status: 401, triedUser: 'operator' })]);
  } finally {
    await both.server.close();
  }
});

test('Answers to whoever has logged in, or tries to, are kept by nobody on the way; those of open protocols are.', async () => {
  const kept = async (path: string, authorization: string) =>
    (await running.ask(path, { headers: { authorization } })).headers.get('cache-control');
  expect(await kept('/things', login)).toBe('no-store');
  expect(await kept('/nothing', login)).toBe('no-store');
  expect(await kept('/things', '')).toBe('no-store');
  expect(await kept('/open', '')).toBeNull();
});

test('AUT-09: failing answers are slowed, but the right login is served at once in between and afterwards.', async () => {
  const guess = async () => {
    const started = performance.now();
    expect(await statusWith(basic('user:guess'))).toBe(401);
    return performance.now() - started;
  };
  for (let times = 0; times < 19; times += 1) await guess();
  const twentieth = guess();
  const first = await Promise.race([
    twentieth.then(() => 'the guess'),
    wait(20)
      .then(() => statusWith(login))
      .then(() => 'the right login'),
  ]);
  expect(first).toBe('the right login');
  expect(await twentieth).toBeGreaterThanOrEqual(pauseAfter(20) - 5);
  expect(await statusWith(login)).toBe(200);
});

test('Requests without a login are not guesses and are not slowed.', async () => {
  const started = performance.now();
  for (let times = 0; times < 40; times += 1) await statusWith('');
  expect(performance.now() - started).toBeLessThan(pauseAfter(40) * 20);
});

test.each([
  [1, 0],
  [5, 0],
  [6, 20],
  [20, 300],
  [105, 2000],
  [100_000, 2000],
])('After %d failures the answer waits %d ms.', (failures, ms) => {
  expect(pauseAfter(failures)).toBe(ms);
});

test('Failures are counted by address, forgotten after ten quiet minutes, and bounded in number.', () => {
  let now = 0;
  const failures = countFailures(() => now);
  expect([failures.add('a'), failures.add('a'), failures.add('b')]).toEqual([1, 2, 1]);
  now += 599_999;
  expect(failures.add('a')).toBe(3);
  now += 600_000;
  expect(failures.add('a')).toBe(1);
  for (let other = 0; other < 10_000; other += 1) failures.add(`other-${other}`);
  expect(failures.add('a')).toBe(1);
});

describe('A protocol with a realm of its own', () => {
  const lists = {
    red: [
      { username: 'red', password: 'r1' },
      { username: 'red', password: 'r2' },
    ],
    blue: [{ username: 'blue', password: 'b' }],
  };
  const colours = showing({
    name: 'colours',
    realm: {
      name: 'Colours',
      logins: ({ params }) =>
        Object.hasOwn(lists, params['colour'] ?? '') ? lists[params['colour'] as 'red'] : [],
    },
    routes: [
      {
        method: 'GET',
        path: '/colours/:colour',
        handler: ({ principal }) => ({ status: 200, body: { principal } }),
      },
    ],
  });
  let server: Running;
  beforeEach(async () => {
    server = await aServer(showing(), colours);
  });
  afterEach(() => server.server.close());

  async function tried(path: string, authorization: string) {
    const answer = await server.ask(path, { headers: { authorization } });
    return [answer.status, answer.headers.get('www-authenticate')];
  }

  test('A protocol with a realm of its own lets in those who have a login for what they call, by every one that is valid', async () => {
    expect(await tried('/colours/red', basic('red:r1'))).toEqual([200, null]);
    expect(await tried('/colours/red', basic('red:r2'))).toEqual([200, null]);
    expect(await tried('/colours/blue', basic('blue:b'))).toEqual([200, null]);
  });

  test('A protocol with a realm of its own refuses others, also those of another realm, and names itself', async () => {
    const refused = [401, 'Basic realm="Colours", charset="UTF-8"'];
    expect(await tried('/colours/red', basic('blue:b'))).toEqual(refused);
    expect(await tried('/colours/green', basic('red:r1'))).toEqual(refused);
    expect(await tried('/colours/red', login)).toEqual(refused);
    expect(await tried('/things', basic('red:r1'))).toEqual([
      401,
      'Basic realm="Service broker", charset="UTF-8"',
    ]);
  });

  test('A protocol with a realm of its own answers for paths that begin like its own', async () => {
    expect(await tried('/colours', login)).toEqual([401, 'Basic realm="Colours", charset="UTF-8"']);
    expect(await tried('/nothing', login)).toEqual([404, null]);
  });
});
