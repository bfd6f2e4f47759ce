import { spawnSync } from 'node:child_process';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openPrincipals, type PrincipalsFile } from '../../src/program/principals/file.ts';
import { hashPassword } from '../../src/program/principals/password-hash.ts';
import { aServer, showing } from '../http/test-server.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';

const taken = { platforms: ['broker'], operators: ['operator'] };
let hashes: { readonly old: string; readonly new: string; readonly other: string };
let file: string;
let told: string[];
let opened: PrincipalsFile | undefined;

beforeAll(async () => {
  hashes = {
    old: await hashPassword('old'),
    new: await hashPassword('new'),
    other: await hashPassword('other'),
  };
});
beforeEach(() => {
  file = join(scratchDirectory('principals'), 'principals.yaml');
  told = [];
  opened = undefined;
});
afterEach(() => opened?.close());

function write(content: object | string): void {
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content), { mode: 0o600 });
}

async function open(content: object | string): Promise<PrincipalsFile> {
  write(content);
  const log = { note: (_level: string, message: string) => void told.push(message) };
  opened = await openPrincipals({ file, taken, log, lookMs: 20 });
  return opened;
}

test('Passwords of PRINCIPALS_FILE are changed while a broker serves, and one that was taken away opens nothing any more.', async () => {
  const accounts = await open({ platforms: [{ name: 'default', passwords: [hashes.old] }] });
  const running = await aServer(showing(), { further: accounts.platforms });
  const statusWith = async (login: string) =>
    (await running.ask('/things', { headers: { authorization: `Basic ${btoa(login)}` } })).status;
  try {
    expect(await statusWith('default:old')).toBe(200);
    write({ platforms: [{ name: 'default', passwords: [hashes.old, hashes.new] }] });
    await until('the second password is taken up', async () => (await statusWith('default:new')) === 200);
    expect(await statusWith('default:old')).toBe(200);
    write({ platforms: [{ name: 'default', username: 'cf', passwords: [hashes.new] }] });
    await accounts.reload();
    expect([await statusWith('default:new'), await statusWith('cf:old')]).toEqual([401, 401]);
    expect(await statusWith('cf:new')).toBe(200);
  } finally {
    await running.server.close();
  }
});

test('A file that was made wrong, or taken away, leaves who was named before, and is told once.', async () => {
  const accounts = await open(
    `operators:\n  - username: alice\n    role: viewer\n    passwords:\n      - ${hashes.old}\n`,
  );
  expect(accounts.operators.accounts?.()).toEqual([
    expect.objectContaining({ username: 'alice', readsOnly: true }),
  ]);
  write('operators:\n  - username: alice\n    role: boss\n    passwords: [secret-canary]\n');
  await until('the mistake is told', () => told.length > 0);
  rmSync(file);
  await until('the absence is told', () => told.length > 1);
  expect(told).toEqual([
    `PRINCIPALS_FILE cannot be used. ${file}:3:5: operators[0].role: This must be viewer or operator. ${file}:4:17: operators[0].passwords[0]: This is no hash that purveyor hash-password prints. The principals from before stay in use.`,
    'PRINCIPALS_FILE cannot be read: there is no such file. The principals from before stay in use.',
  ]);
  expect(accounts.operators.accounts?.()).toHaveLength(1);
  write({});
  await until('nobody is named', () => accounts.operators.accounts?.().length === 0);
});

test('Rates are of a platform with all its logins, those of the environment too, and of each operator.', async () => {
  const accounts = await open({
    platforms: [
      { name: 'default', rate: '600/m', passwords: [hashes.old] },
      { name: 'acme', passwords: [hashes.new] },
    ],
    operators: [{ username: 'alice', role: 'viewer', rate: '5/s', passwords: [hashes.other] }],
  });
  const ofDefault = { counted: 'platform default', rate: { requests: 600, perMs: 60_000 } };
  expect(accounts.platforms.limitOf?.({ principal: 'broker' })).toEqual(ofDefault);
  expect(accounts.platforms.limitOf?.({ principal: 'acme', platform: 'acme' })).toBeUndefined();
  expect(accounts.operators.limitOf?.({ principal: 'alice' })).toEqual({
    counted: 'operator alice',
    rate: { requests: 5, perMs: 1000 },
  });
  expect(accounts.operators.limitOf?.({ principal: 'operator' })).toBeUndefined();
});

test('A file that others may read or write is warned of.', async () => {
  write({});
  chmodSync(file, 0o604);
  await open({});
  chmodSync(file, 0o620);
  await opened?.reload();
  expect(told).toEqual([
    'PRINCIPALS_FILE may be read by everybody on this machine: chmod o-r it.',
    'PRINCIPALS_FILE may be written by others than its owner: who does is let in. chmod go-w it.',
  ]);
});

const named = { name: 'default' };
const user = { username: 'alice', role: 'operator' };

test.each<[what: string, content: (hash: typeof hashes) => object | string, sentence: RegExp]>([
  [
    'that is a list',
    () => [],
    /yaml: The file must hold an object with the lists platforms and operators\.$/,
  ],
  ['that is no YAML', () => 'platforms: [', /principals\.yaml:\d+:\d+: /],
  [
    'with a key that is spelt wrong',
    () => ({ operator: [] }),
    /There is no such key here\. Did you mean 'operators'\?/,
  ],
  [
    'with a platform that is a text',
    () => ({ platforms: ['x'] }),
    /platforms\[0\]: This must be an object\./,
  ],
  ['with platforms that are no list', () => ({ platforms: {} }), /platforms: This must be a list\./],
  [
    'with three passwords',
    (one) => ({ platforms: [{ ...named, passwords: Object.values(one) }] }),
    /a list of one or two hashes/,
  ],
  ['without a password', () => ({ platforms: [{ ...named, passwords: [] }] }), /a list of one or two hashes/],
  [
    'with a password in clear',
    () => ({ platforms: [{ ...named, passwords: ['secret-canary'] }] }),
    /passwords\[0\]: This is no hash/,
  ],
  [
    'with a hash that takes a gigabyte',
    (one) => ({ platforms: [{ ...named, passwords: [one.old.replace('ln=15', 'ln=20')] }] }),
    /is no hash/,
  ],
  [
    'with an operator without a role',
    (one) => ({ operators: [{ username: 'a', passwords: [one.old] }] }),
    /operators\[0\]\.role: This must be viewer or operator\./,
  ],
  [
    'with a colon in a name',
    (one) => ({ operators: [{ ...user, username: 'a:b', passwords: [one.old] }] }),
    /without a colon/,
  ],
  [
    'with the name of OPERATOR_USERNAME',
    (one) => ({ operators: [{ ...user, username: 'operator', passwords: [one.old] }] }),
    /stands in the environment of the broker already/,
  ],
  [
    'with an operator twice',
    (one) => ({
      operators: [
        { ...user, passwords: [one.old] },
        { ...user, passwords: [one.new] },
      ],
    }),
    /operators\[1\]: Its username stands twice/,
  ],
  [
    'with a rate of days',
    (one) => ({ platforms: [{ ...named, rate: '5/d', passwords: [one.old] }] }),
    /platforms\[0\]\.rate: This must be a number of requests/,
  ],
  [
    'with two rates of a platform',
    (one) => ({
      platforms: [
        { ...named, rate: '5/s', passwords: [one.old] },
        { ...named, username: 'x', rate: '6/s', passwords: [one.new] },
      ],
    }),
    /platforms\[1\]\.rate: A platform has one rate/,
  ],
  [
    'with one hash for a platform and an operator',
    (one) => ({
      platforms: [{ ...named, passwords: [one.old] }],
      operators: [{ ...user, passwords: [one.old] }],
    }),
    /This hash stands twice/,
  ],
])(
  'A file %s is refused at the start, with all that is wrong and no value of it.',
  async (_what, content, sentence) => {
    const error = await open(content(hashes)).catch((thrown: unknown) => thrown as Error);
    expect(error).toBeInstanceOf(Error);
    const { message } = error as Error;
    expect(message).toMatch(sentence);
    expect(message).not.toMatch(/secret-canary|\$scrypt/);
  },
);

test('PRINCIPALS_FILE that is not there is refused at the start.', async () => {
  const log = { note: () => undefined };
  await expect(openPrincipals({ file, taken, log })).rejects.toThrow(
    'PRINCIPALS_FILE cannot be read: there is no such file.',
  );
});

test('The command hash-password prints a hash that opens, another one each time, and takes no password of several lines.', async () => {
  const run = (input: string) =>
    spawnSync(process.execPath, ['src/start.js', 'hash-password'], {
      input,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    });
  const { stdout, status } = run('pässword 1\n');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$[\w+/]{22}\$[\w+/]{43}\n$/);
  const accounts = await open({ operators: [{ ...user, passwords: [stdout.trim()] }] });
  const [isIt] = accounts.operators.accounts?.()[0]?.passwords ?? [];
  expect([await isIt?.('pässword 1'), await isIt?.('pässword 1\n')]).toEqual([true, false]);
  for (const wrong of ['', '\n', 'one\ntwo\n']) {
    const { stderr, status: code, stdout: printed } = run(wrong);
    expect({ code, printed }).toEqual({ code: 1, printed: '' });
    expect(stderr).toMatch(/password/);
    expect(stderr).not.toMatch(/two/);
  }
});
