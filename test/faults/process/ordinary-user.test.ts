// A broker that an ordinary user runs makes the same things, and all of them are that user's.
import { chmodSync, chownSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { address, isThere, say } from '../../provisioners/process/process-node.ts';
import { openGate, type DatabaseGate } from '../../support/database-gate.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { runInGroup, type Running } from '../../support/run-program.ts';
import { call } from '../../support/started-brokers.ts';
import { keyIn } from '../../support/instance-key.ts';
import { environmentOf } from '../broker-process.ts';
import { common, planOf, tiny } from './offerings.ts';
import { pathOf } from './one-node.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';

/** Containers are often run as a number without a name. */
const nameless = 54_321;
const asNameless = [
  '--reuid',
  String(nameless),
  '--regid',
  String(nameless),
  '--clear-groups',
  process.execPath,
];
const why = whyNot();
const testIt = why === undefined ? test : test.skip;

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return 'all of these tests are run by one';
  const reads = spawnSync('setpriv', [...asNameless, '-e', "require('fs').readFileSync('src/start.js')"]);
  return reads.status === 0 ? undefined : 'another user cannot read this checkout, or there is no setpriv';
}

const folder = scratchDirectory('user');
const offerings = [
  tiny('process'),
  ...['directory', 'command'].map((name) => ({
    ...common(name, [planOf(name, 'small')], name),
    config: {},
    credentials: { path: name === 'directory' ? '{{dir.data}}' : '{{outputs.prepare.user}}' },
    ...(name === 'command' ? { hooks: { prepare: { run: ['./hooks/command/tell'] } } } : {}),
  })),
];
/** The database by TCP: another user may not use the socket of this one. */
let gate: DatabaseGate;
let database: TestDatabase;
let broker: Running;
let url: string;
beforeAll(async () => {
  [database, gate] = await Promise.all([openTestDatabase(), openGate()]);
  gate.open();
  const hooks = join(folder, 'catalog', 'hooks', 'command');
  mkdirSync(hooks, { recursive: true });
  writeFileSync(join(hooks, 'tell'), '#!/bin/sh\necho "{\\"user\\": \\"$(id -u)\\"}"\n', { mode: 0o755 });
  for (const offering of offerings)
    writeFileSync(join(folder, 'catalog', `${offering.name}.json`), JSON.stringify(offering));
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, 'own'));
  if (why === undefined) chownSync(join(folder, 'own'), nameless, nameless);
});
afterAll(async () => {
  broker?.signal('SIGKILL');
  await broker?.ended;
  await gate.close();
  await database.close();
});

async function start(): Promise<void> {
  const own = join(folder, 'own');
  const shared = { database, dataDir: join(own, 'data'), catalogDir: join(folder, 'catalog') };
  broker = runInGroup('setpriv', [...asNameless, 'src/start.js'], {
    ...environmentOf('ordinary', shared),
    DATABASE_URL: gate.url.href,
    HOME: own,
    NODE_ROLE: 'true',
    NODE_HOST: address,
    NODE_DIR: join(own, 'node'),
    NODE_PORTS: '22800-22899',
    OPERATOR_PASSWORD: 'o',
  });
  [, url = ''] = await broker.shows(/"message":"ready".*"address":"([^"]+)"/);
}

async function ask(method: string, path: string, offering: string): Promise<Record<string, never>> {
  const ids = { service_id: offering, plan_id: `${offering}-small` };
  const query = method === 'DELETE' ? `?${new URLSearchParams(ids).toString()}` : '';
  const body = method === 'PUT' ? { body: { ...ids, organization_guid: 'o', space_guid: 's' } } : {};
  const answer = await call('broker:p', `${url}${path}${query}`, { method, ...body });
  const told = (await answer.json()) as Record<string, never>;
  expect([answer.status, told['description']]).toEqual([method === 'PUT' ? 201 : 200, undefined]);
  return told;
}

testIt(`An ordinary user can be a node${why === undefined ? '' : ` (skipped: ${why})`}.`, async () => {
  await start();
  const ids = Object.fromEntries(offerings.map(({ name }) => [name, `${name}-${process.pid}`]));
  const bound: Record<string, Record<string, string>> = {};
  for (const [offering, id] of Object.entries(ids)) {
    await ask('PUT', pathOf(id), offering);
    const path = `${pathOf(id)}/service_bindings/b`;
    bound[offering] = (await ask('PUT', path, offering))['credentials'] ?? {};
  }
  const port = Number(bound['process']?.['port']);
  const pid = Number(await say(port, 'PID'));
  const owners = [`/proc/${pid}`, bound['directory']?.['path'] ?? ''].map((path) => statSync(path).uid);
  expect([owners, bound['command']?.['path']]).toEqual([[nameless, nameless], String(nameless)]);
  const parent = join(folder, 'own', 'node', 'process');
  const conf = join(parent, keyIn(parent, ids['process'] ?? ''), 'conf');
  expect(statSync(conf).mode & 0o777).toBe(0o700);

  broker.signal('SIGKILL');
  await broker.ended;
  expect(isThere(pid)).toBe(true);
  await start();
  for (const [offering, id] of Object.entries(ids)) await ask('DELETE', pathOf(id), offering);
  expect([isThere(pid), existsSync(conf), existsSync(bound['directory']?.['path'] ?? '')]).toEqual([
    false,
    false,
    false,
  ]);
});

testIt('A user without a name and without a home, as in a container, can start it.', () => {
  const env = { PATH: process.env['PATH'] ?? '' };
  const ran = spawnSync('setpriv', [...asNameless, 'src/start.js', '--version'], { env, encoding: 'utf8' });
  expect(ran).toMatchObject({ status: 0, stderr: '', stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
});
