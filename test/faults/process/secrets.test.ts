// Secrets of what is really made, which programs and hooks print wherever they can: none of them comes out.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { administratorUrl } from '../../provisioners/postgres/databases.ts';
import { address } from '../../provisioners/process/process-node.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { environmentOf } from '../broker-process.ts';
import { canary, holds } from '../canary.ts';
import { common, planOf } from './offerings.ts';
import { basic, dump, startRecorded, type RecordedProgram, type Told } from '../recorded-program.ts';
import { watchProcesses } from '../../support/process-list.ts';
import { until } from '../../support/until.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';

const operator = basic('operator', 'the-operator-of-the-test');
const scratch = scratchDirectory('making-secrets');
/** Secrets by what they are. */
const secrets = new Map<string, string>();
/** Everything that came out beside answers, by where. */
const outputs = new Map<string, string>();
/** The arguments of every process that was ever seen. */
let commands: readonly string[];
let database: TestDatabase;
let recorded: RecordedProgram;

const prints = 'cat "$0"; cat "$0" >&2; echo "$SECRET"; echo "$SECRET" >&2';
const leaky = (end: string, ready: string) => ({
  files: { 'secret.txt': '{{params.token}}\n{{secrets.password}}\n' },
  processes: {
    server: {
      run: ['/bin/sh', '-c', `${prints}; ${end}`, '{{dir.conf}}/secret.txt'],
      env: { SECRET: '{{params.token}} {{secrets.password}}' },
      ready: { command: [ready] },
    },
  },
});
const parameters = { token: { type: 'string', default: '' } };
const hookEnv = { SECRET: '{{params.token}} {{secrets.password}}' };
const hook = (name: string) => ({ run: [`./hooks/${name}`], env: hookEnv });
const offerings = [
  {
    ...common('leaky', [planOf('leaky', 'small')]),
    parameters,
    secrets: { password: { length: 24 } },
    monitor: { every: '1s', restart: 0 },
    hooks: { prepare: hook('leaky/tell') },
    config: leaky('exec sleep 600', 'true'),
    credentials: { password: '{{secrets.password}}' },
  },
  {
    ...common('dying', [planOf('dying', 'small')]),
    parameters,
    secrets: { password: { length: 24 } },
    config: { ...leaky('exit 3', 'false'), ports: ['main'] },
    credentials: { password: '{{secrets.password}}' },
  },
  ...['hooked', 'failing'].map((name) => ({
    ...common(name, [planOf(name, 'small')], 'command'),
    parameters,
    secrets: { password: { length: 24 } },
    monitor: { every: '1s', restart: 0 },
    hooks: Object.fromEntries(
      ['prepare', 'configure', 'bind', 'unbind', 'monitor', 'remove'].map((moment) => [
        moment,
        hook(`leaky/${name === 'failing' && moment === 'configure' ? 'fail' : 'tell'}`),
      ]),
    ),
    config: {},
    credentials: { password: '{{secrets.password}}', told: '{{outputs.prepare.told}}' },
  })),
  {
    ...common('bases', [planOf('bases', 'small')], 'postgres'),
    secrets: { password: { per: 'binding', length: 24 } },
    config: { server: 'SHARED_POSTGRES_URL' },
    credentials: { user: '{{db.user}}', password: '{{secrets.password}}' },
  },
];
const tells = 'cat >&2; echo "$SECRET" >&2';
const scripts = {
  // What it tells is kept as a secret, too.
  tell: `${tells}\nif [ "$PURVEYOR_ACTION" = prepare ]; then echo '{"told": "told-by-the-hook-of-the-test"}'; fi`,
  fail: `${tells}\nexit 1`,
};

beforeAll(async () => {
  chmodSync(scratch, 0o755);
  database = await openTestDatabase();
  recorded = await startRecorded({
    ...environmentOf('secrets', { database, dataDir: join(scratch, 'data'), catalogDir: writeCatalog() }),
    OPERATOR_PASSWORD: 'the-operator-of-the-test',
    NODE_ROLE: 'true',
    NODE_HOST: address,
    NODE_DIR: join(scratch, 'node'),
    NODE_PORTS: '21900-21999',
    SHARED_POSTGRES_URL: administratorUrl(),
  });
  const watch = watchProcesses();
  try {
    await live();
  } finally {
    commands = watch.end();
    for (const id of ['leaky', 'hooked', 'bases']) await send('removal', 'DELETE', `${id}?${idsOf(id)}`);
    await recorded.program.close(5000);
  }
  for (const [where, text] of recorded.outputs) outputs.set(where, text);
});
afterAll(async () => {
  await database.close();
});

function writeCatalog(): string {
  const directory = join(scratch, 'catalog');
  mkdirSync(join(directory, 'hooks', 'leaky'), { recursive: true });
  for (const offering of offerings)
    writeFileSync(join(directory, `${offering.name}.json`), JSON.stringify(offering));
  for (const [name, script] of Object.entries(scripts))
    writeFileSync(join(directory, 'hooks', 'leaky', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return directory;
}

function idsOf(offering: string): string {
  return new URLSearchParams({ service_id: offering, plan_id: `${offering}-small` }).toString();
}

function send(what: string, method: string, path: string, body?: object): Promise<Told> {
  return recorded.ask(what, method, `/v2/service_instances/${path}`, body ? { body } : {});
}

/** Of an instance that has the name of its offering. */
async function make(offering: string, status: number): Promise<void> {
  const token = canary(offering);
  secrets.set(`the parameter of ${offering}`, token);
  const given = offering === 'bases' ? {} : { parameters: { token } };
  const ids = { service_id: offering, plan_id: `${offering}-small` };
  const body = { ...ids, organization_guid: 'o', space_guid: 's', ...given };
  const told = await send(`provision ${offering}`, 'PUT', offering, body);
  expect([offering, told.status]).toEqual([offering, status]);
  await send(`poll ${offering}`, 'GET', `${offering}/last_operation`);
  if (status !== 201) return;
  const bound = await send('a bind', 'PUT', `${offering}/service_bindings/b`, ids);
  const { credentials } = JSON.parse(bound.text) as { credentials: { password: string } };
  expect(credentials.password).toHaveLength(24);
  secrets.set(`the password of ${offering}`, credentials.password);
}

/** Everything of which programs or hooks could tell a secret happens once. */
async function live(): Promise<void> {
  await make('leaky', 201);
  await make('hooked', 201);
  await make('bases', 201);
  await make('dying', 500);
  await make('failing', 500);
  // What it said last is the reason of its status.
  const pid = /"pid":(\d+)/.exec((await until('it has been seen', () => see('leaky', '"pid"'))) || '')?.[1];
  process.kill(Number(pid), 'SIGKILL');
  await until('its end has been seen', () => see('leaky', '"status":"error"'));
  for (const id of ['leaky', 'dying', 'hooked', 'failing', 'bases']) {
    await ask(`instances/${id}`);
    await ask(`instances/${id}/log?lines=100`);
  }
  for (const path of ['nodes', 'offerings', 'instances', 'orphans']) await ask(path);
  const command = ['/bin/sh', '-c', 'cat ../conf/secret.txt ../log/*; env'];
  await ask('instances/leaky/exec', 'POST', { command, timeout: 30_000 });
  await ask('instances/hooked/exec', 'POST', { command, timeout: 30_000 });
  for (const path of ['/metrics', '/healthz', '/readyz', '/v2/catalog'])
    await recorded.ask(path, 'GET', path);
  for (const [table, text] of await dump(database)) outputs.set(`the table ${table}`, text);
  await send('an unbind', 'DELETE', `hooked/service_bindings/b?${idsOf('hooked')}`);
}

async function see(id: string, sign: string): Promise<string | false> {
  const { text } = await ask(`instances/${id}`);
  return text.includes(sign) && text;
}

function ask(path: string, method = 'GET', body?: object): Promise<Told> {
  return recorded.ask(path, method, `/operator/${path}`, {
    authorization: operator,
    ...(body ? { body } : {}),
  });
}

const made = ['leaky', 'hooked', 'bases'];
const names = [
  ...['leaky', 'hooked', 'dying', 'failing'].map((offering) => `the parameter of ${offering}`),
  ...made.map((offering) => `the password of ${offering}`),
];

test.each(names)(
  '%s appears in no answer but to whom it belongs, and in nothing else [P2, S15, U3]',
  (name) => {
    const secret = secrets.get(name) ?? '';
    expect(secret.length).toBeGreaterThan(20);
    const told = recorded.answers.filter(({ text }) => holds(text, secret)).map(({ what }) => what);
    expect([...new Set(told)]).toEqual(name.startsWith('the password') ? ['a bind'] : []);
    const found = [...outputs].filter(([, text]) => holds(text, secret)).map(([where]) => where);
    expect(found).toEqual([]);
  },
);

test('No secret stands on a command line [S11]', () => {
  expect(commands.filter((command) => command.includes(join(scratch, 'node')))).not.toEqual([]);
  const tells = (command: string) => [...secrets.values()].some((secret) => command.includes(secret));
  expect(commands.filter(tells)).toEqual([]);
});

test('What was printed beside secrets did come out, so nothing was overlooked [A8, U3]', () => {
  const log = (id: string) => recorded.answers.filter(({ what }) => what === `instances/${id}/log?lines=100`);
  for (const id of ['leaky', 'hooked']) expect(log(id)[0]?.text).toContain('***');
  const details = (id: string) => recorded.answers.findLast(({ what }) => what === `instances/${id}`)?.text;
  for (const id of ['dying', 'failing']) expect(details(id)).toMatch(/"detail":.*\*\*\*/);
  expect(outputs.get('the table operations')).toContain('***');
  expect(outputs.get('the table service_instances')).not.toContain('told-by-the-hook-of-the-test');
  expect(recorded.answers.find(({ what }) => what === 'instances/leaky/exec')?.text).toContain('***');
});
