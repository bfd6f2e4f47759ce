import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { runProgram, type Ended } from '../support/run-program.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { operatorPassword, startWholeBroker, type WholeBroker } from '../support/whole-broker.ts';

const catalog = scratchDirectory('try');
let database: TestDatabase;
let broker: WholeBroker;
beforeAll(async () => {
  cpSync('catalog', catalog, { recursive: true });
  cpSync('catalog/trial/failing.yaml', join(catalog, 'failing.yaml'));
  chmodSync(catalog, 0o755);
  writeLying('echo', 'always', '#!/bin/sh\nexit 0\n');
  writeUnproven();
  database = await openTestDatabase();
  broker = await startWholeBroker(database, { CATALOG_DIR: catalog, NODE_PORTS: '26300-26349' });
});
afterAll(async () => {
  await broker.stop();
  await database.close();
});

/** An offering whose proof says this, whatever is true. */
function writeLying(of: string, name: string, proof: string): void {
  const text = readFileSync(join(catalog, `${of}.yaml`), 'utf8')
    .replace(/^id: .*$/m, `id: ${name}_service`)
    .replace(/^name: .*$/m, `name: ${name}`)
    .replace('- id: big_0001', `- id: ${name}_0001`)
    .replace('./hooks/echo/prove', `./hooks/${name}`);
  writeFileSync(join(catalog, 'hooks', name), proof, { mode: 0o755 });
  writeFileSync(join(catalog, `${name}.yaml`), text);
}

/** An offering that does not say how it is proven. */
function writeUnproven(): void {
  const text = readFileSync('catalog/filesystem.yaml', 'utf8')
    .replace(/^prove:\n(?: .*\n)*/m, '')
    .replaceAll('c9a2f6d0-', 'd9a2f6d0-')
    .replace(/^name: .*$/m, 'name: unproven');
  writeFileSync(join(catalog, 'unproven.yaml'), text);
}

/** Runs a command with the variables of the broker. */
function run(...words: readonly string[]): Promise<Ended> {
  const PORT = new URL(broker.url).port;
  const logins = { BROKER_PASSWORD: broker.password, OPERATOR_PASSWORD: operatorPassword };
  return runProgram(words, { PORT, CATALOG_DIR: catalog, ...logins }).ended;
}

interface Report {
  readonly instance: string;
  readonly passed: boolean;
  readonly steps: readonly { readonly step: string; readonly result: string; readonly detail?: string }[];
}

async function tried(
  ...words: readonly string[]
): Promise<{ readonly code: number | null; readonly report: Report }> {
  const { code, output, errors } = await run('try', ...words, '--json');
  expect(errors).toBe('');
  return { code, report: JSON.parse(output) as Report };
}

const redis = spawnSync('redis-cli', ['--version']).status === 0 ? test : test.skip;

redis(
  'The command try leads Redis through every plan, a restart and a revocation, and leaves nothing',
  async () => {
    const { code, report } = await tried('redis');
    expect(report.steps.filter(({ result }) => result !== 'passed')).toEqual([]);
    expect(code).toBe(0);
    expect(report.steps.map(({ step }) => step)).toEqual([
      'provision',
      'bind first',
      'bind second',
      'prove first',
      'prove second',
      'update to durable',
      'prove first as durable',
      'prove second as durable',
      // What is spoken changes, so both are bound anew.
      'update to secure',
      ...boundAnew,
      'prove first as secure',
      'prove second as secure',
      'update back to small',
      ...boundAnew,
      'prove first as small',
      'prove second as small',
      'restart',
      'prove first after the restart',
      'prove second after the restart',
      'unbind first',
      'first is revoked',
      'prove second without first',
      'unbind second',
      'deprovision',
      'nothing is left',
    ]);
    expect((await broker.ask('get', `/v2/service_instances/${report.instance}`)).status).toBe(404);
  },
);

const boundAnew = ['unbind first of before', 'bind first', 'unbind second of before', 'bind second'];

test('The command try says what a table of steps comes to, and skips what an offering does not have', async () => {
  const { code, output } = await run('try', 'unproven');
  expect({ code, output }).toEqual({
    code: 0,
    output: expect.stringMatching(
      /^ok +\S+ s {2}provision\n(?:.*\n)*- +prove: the offering file has no `prove`\n(?:.*\n)*- +restart: nothing(?:.*\n)*PASSED {2}FAILED {2}SKIPPED\n\d+ +0 +2\n$/,
    ),
  });
});

test('The command try fails where a binding works on after its unbind, and removes what it has made', async () => {
  const { code, report } = await tried('always');
  expect(code).toBe(1);
  expect(report.passed).toBe(false);
  expect(report.steps.filter(({ result }) => result === 'failed')).toEqual([
    {
      step: 'first is revoked',
      result: 'failed',
      ms: expect.any(Number),
      detail: 'The credentials still work after the unbind.',
    },
  ]);
  expect(report.steps.at(-1)).toMatchObject({ step: 'nothing is left', result: 'passed' });
  expect((await broker.ask('get', `/v2/service_instances/${report.instance}`)).status).toBe(404);
});

test('The command try tells in the words of the broker what has failed, and does nothing more but to remove', async () => {
  const { code, report } = await tried('trial-failing', 'bind');
  expect(code).toBe(1);
  expect(report.steps.map(({ step, result }) => `${step} ${result}`)).toEqual([
    'provision passed',
    'bind first failed',
    'deprovision passed',
    'nothing is left passed',
  ]);
  expect(report.steps[1]?.detail).toMatch(/^The trial .*\.$/);
});

test('With --keep the command try leaves what it has made, and says how it goes', async () => {
  const { code, output } = await run('try', 'echo', '--keep');
  expect(code).toBe(0);
  const [, instance = ''] = /Remove it with: purveyor delete (\S+)\n$/.exec(output) ?? [];
  for (const binding of ['first', 'second']) expect((await run('unbind', instance, binding)).code).toBe(0);
  expect(await run('delete', instance)).toMatchObject({ code: 0, output: `${instance} is removed.\n` });
});
