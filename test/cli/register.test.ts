import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { shellWord } from '../../src/cli/register/shell.ts';
import { runProgram } from '../support/run-program.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

/** Platforms are told of the broker by their own clients: here by programs that write down what they are given. */

const password = `it's "a" $ecret`;
const directory = scratchDirectory('register');
const record = join(directory, 'record');
const clients = join(directory, 'clients');
const manifest = 'id: "echo"\npassword: "of echo alone"\n';

const client = `#!/bin/sh
name=\${0##*/}
file=
for word; do
  case $word in *.yaml) file=$word; word=FILE;; esac
  printf '%s: %s\\n' "$name" "$word" >> "$RECORD"
done
printf 'CF_BROKER_PASSWORD: %s\\n' "$CF_BROKER_PASSWORD" >> "$RECORD"
[ $name != kubectl ] || cat >> "$RECORD"
[ -z "$file" ] || { cat "$file"; ls -l "$file" | cut -c1-10; } >> "$RECORD"
[ "$name" != "$FAILING" ]
`;

/** Answers what a broker would, to the password of tsuru alone. */
let broker: Server;
beforeAll(async () => {
  mkdirSync(clients);
  for (const name of ['cf', 'stackato', 'kubectl', 'tsuru'])
    writeFileSync(join(clients, name), client, { mode: 0o755 });
  broker = createServer(({ url = '', headers }, response) => {
    const isTsuru = url.startsWith('/tsuru/echo/manifest.yaml?team=data');
    const login = Buffer.from(headers.authorization?.slice(6) ?? '', 'base64').toString();
    if (isTsuru && login !== 'echo:tsuru-secret') response.writeHead(401);
    const services = [{ id: 's', name: 'echo', plans: [{ id: 'p', name: 'large' }] }];
    response.end(isTsuru ? manifest : JSON.stringify({ services }));
  });
  await new Promise<void>((resolve) => broker.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  broker.close();
});
beforeEach(() => {
  rmSync(record, { force: true });
});

function environment(): Record<string, string> {
  return {
    PORT: String((broker.address() as AddressInfo).port),
    BROKER_PASSWORD: password,
    TSURU_PASSWORD: 'tsuru-secret',
    RECORD: record,
    PATH: `${clients}:${process.env['PATH']}`,
  };
}

async function register(words: string, env: Readonly<Record<string, string>> = {}) {
  return runProgram(['register', ...words.split(' ')], { ...environment(), ...env }).ended;
}

/** What clients were given by `--run`, and by the commands that are printed, when a shell runs them. */
async function bothWays(words: string): Promise<readonly [run: string, shown: string, printed: string]> {
  expect(await register(`${words} --run`)).toMatchObject({ code: 0, output: '' });
  const run = readFileSync(record, 'utf8');
  rmSync(record);
  const { code, output, errors } = await register(words);
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  const env = { ...process.env, ...environment() };
  const shell = spawn('sh', ['-ec', output], { cwd: directory, env, stdio: 'ignore' });
  expect(await once(shell, 'close')).toEqual([0, null]);
  return [run, readFileSync(record, 'utf8'), output];
}

test.each(['cf --open', 'cf --update --name mine', 'stackato --open', 'tsuru --team data'])(
  'Commands that register %s prints do what --run does, and hold no password',
  async (words) => {
    const [run, shown, printed] = await bothWays(words);
    expect(run).toBe(shown);
    for (const secret of [password, 'tsuru-secret', 'of echo alone']) expect(printed).not.toContain(secret);
  },
);

test('The password is given to cf by a variable, which no list of processes shows', async () => {
  await register('cf --open --run');
  const [name, user, ...rest] = readFileSync(record, 'utf8').split('\n').slice(1, -1);
  expect([name, user, ...rest]).toEqual([
    'cf: purveyor',
    'cf: broker',
    `cf: http://127.0.0.1:${environment()['PORT']}`,
    `CF_BROKER_PASSWORD: ${password}`,
    'cf: enable-service-access',
    'cf: echo',
    'cf: -b',
    'cf: purveyor',
    'CF_BROKER_PASSWORD: ',
  ]);
});

test('Who registers at Stackato is warned that its client takes the password as an argument', async () => {
  expect((await register('stackato --run')).errors).toMatch(/can see the password among its arguments/);
});

test('A manifest is handed over to tsuru in a file that nobody else can read', async () => {
  await register('tsuru --team data --run');
  expect(readFileSync(record, 'utf8')).toContain(`${manifest}-rw-------`);
  expect(await register('tsuru --offering other')).toMatchObject({
    code: 1,
    errors: "purveyor: There is no offering 'other'.\n",
  });
});

test('Kubernetes is given a secret, and the broker that names it, by standard input', async () => {
  expect(await register('kubernetes --namespace brokers --run')).toMatchObject({ code: 0 });
  const [, , , , ...text] = readFileSync(record, 'utf8').split('\n');
  const { items } = JSON.parse(text.join('\n')) as { items: readonly object[] };
  const metadata = { name: 'purveyor-login', namespace: 'brokers' };
  expect(items).toMatchObject([
    { kind: 'Secret', metadata, stringData: { username: 'broker', password } },
    {
      kind: 'ClusterServiceBroker',
      metadata: { name: 'purveyor' },
      spec: { authInfo: { basic: { secretRef: metadata } } },
    },
  ]);
  const { output } = await register('kubernetes');
  expect(output).toMatch(/^printf %s "\$BROKER_PASSWORD" \| kubectl create secret /);
  expect(output).not.toContain(password);
});

test('The exit code of a client that fails ends the registration, and one that is missing is named', async () => {
  expect(await register('cf --open --run', { FAILING: 'cf' })).toMatchObject({ code: 1 });
  expect(readFileSync(record, 'utf8')).not.toContain('enable-service-access');
  const missing = await register('cf --run', { PATH: directory });
  expect(missing).toMatchObject({ code: 1 });
  expect(missing.errors).toContain('cf is not installed here.');
});

test.each([
  ['plain-word', 'plain-word'],
  ['two words', "'two words'"],
  ["it's", String.raw`'it'\''s'`],
  ['$HOME', "'$HOME'"],
])('The word %s is written for a shell as %s', (text, word) => {
  expect(shellWord(text)).toBe(word);
});
