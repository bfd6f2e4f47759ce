// Marked secrets go in at every place where a secret can; whatever comes out anywhere is searched for them.
import { randomBytes } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { toProvision } from '../broker/fixtures.ts';
import { coreInMemory, scripted } from '../broker/core-in-memory.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { runProgram } from '../support/run-program.ts';
import { canary, holds } from './canary.ts';
import { writeOffering } from './offering.ts';
import { basic, makeRole, startRecorded, type RecordedProgram } from './recorded-program.ts';
import { liveADay } from './secret-day.ts';
import { given, indiscreetPlans, offering, plans } from './secret-plans.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

const scratch = scratchDirectory('secrets');
// Run by root, programs have another user, who must get in.
chmodSync(scratch, 0o755);
/** Secrets that the broker made, by what they are. */
const made = new Map<string, string>();
/** Everything that came out beside answers, by where. */
const outputs = new Map<string, string>();
let database: TestDatabase;
let recorded: RecordedProgram;

beforeAll(async () => {
  database = await openTestDatabase();
  const role = await makeRole(database, given['the password of the database']);
  const env = {
    PORT: '0',
    HOST: '127.0.0.1',
    DATA_DIR: join(scratch, 'data'),
    CATALOG_DIR: `catalog:${writeOffering(scratch, plans, offering)}`,
    DATABASE_URL: role.url,
    BROKER_PASSWORD: given['the password of the broker'],
    BROKER_USERNAME_2: 'second',
    BROKER_PASSWORD_2: given['the second password'],
    ENCRYPTION_KEYS: `canary:${given['an encryption key']}`,
  };
  recorded = await startRecorded(env);
  const tables = await liveADay({ recorded, database, role, scratch, made });
  for (const [table, text] of tables) outputs.set(`the table ${table}`, text);
  await recorded.program.close(5000);
  await runCommands(env);
  for (const [where, text] of recorded.outputs) outputs.set(where, text);
  await role.drop();
});
afterAll(async () => {
  await database.close();
});

/** The commands of the operator, with secrets in every variable, in their right places and in wrong ones. */
async function runCommands(env: Readonly<Record<string, string>>): Promise<void> {
  const secret = given['a header that is no login'];
  const bound = {
    postgres: [{ name: 'db', credentials: { uri: `postgres://u:${encodeURIComponent(secret)}@h/d` } }],
  };
  const wrong = {
    PORT: secret,
    LEASE: secret,
    LOG_LEVEL: secret,
    PUBLIC_URL: secret,
    DRAIN: secret,
    VCAP_APPLICATION: secret,
  };
  const { DATABASE_URL = '' } = env;
  const runs: readonly (readonly [command: string, env: Readonly<Record<string, string>>, code: number])[] = [
    ['config', { ...env, VCAP_SERVICES: JSON.stringify(bound) }, 0],
    ['config', { ...env, DATABASE_URL: secret, ENCRYPTION_KEYS: secret, VCAP_SERVICES: secret }, 0],
    [
      'rekey --saved',
      { ...env, ENCRYPTION_KEYS: `new:${randomBytes(32).toString('base64')},${env['ENCRYPTION_KEYS']}` },
      0,
    ],
    ['serve', { ...env, ...wrong }, 1],
    ['serve', { ...env, DATABASE_URL: secret, ENCRYPTION_KEYS: secret, VCAP_SERVICES: secret }, 1],
    [
      'serve',
      { ...env, DATABASE_URL: DATABASE_URL.replace(/:[^:@]*@/, `:${encodeURIComponent(secret)}@`) },
      1,
    ],
  ];
  const ends = await Promise.all(runs.map(([command, its]) => runProgram(command.split(' '), its).ended));
  for (const [index, { code, output, errors }] of ends.entries()) {
    const [command, , expected] = runs[index] ?? [];
    expect(`${command}: ${code} ${errors}`).toContain(`${command}: ${expected}`);
    outputs.set(`the command ${command} (${index})`, output + errors);
  }
}

/** Where each secret belongs; all others belong nowhere. */
const places: Readonly<Record<string, readonly string[]>> = {
  'a parameter of a provision': ['fetch', 'a binding'],
  'a parameter of an update': ['fetch after the update', 'bind', 'bind again', 'fetch binding'],
  'a parameter of a bind': ['fetch binding'],
  'a parameter in the sentence of an unbind': ['a binding'],
  'a secret of an instance': ['provision', 'provision again', 'fetch', 'update', 'fetch after the update'],
  'a secret of a binding': ['bind', 'bind again', 'fetch binding'],
  'the token of a dashboard': ['provision echo'],
  'the token of an echo': ['bind echo'],
};
const names = [
  ...Object.keys(given),
  'a secret of an instance',
  'a secret of a binding',
  'the token of a dashboard',
  'the token of an echo',
  'a secret of what failed',
];

test('The search for secrets finds a secret in what can be undone', () => {
  const secret = canary('found');
  const document = JSON.stringify({ token: secret });
  const hidden = [
    basic('user', secret),
    document,
    encodeURIComponent(secret),
    Buffer.from(document).toString('base64url'),
  ];
  expect(hidden.filter((text) => !holds(text, secret))).toEqual([]);
  expect(holds(basic('user', canary('other')), secret)).toBe(false);
});

test.each(names)('%s appears in the answers to which it belongs, and in no other [ERR-06]', (name) => {
  const secret = secretOf(name);
  const found = recorded.answers.filter(({ text }) => holds(text, secret)).map(({ what }) => what);
  expect(found).toEqual(places[name] ?? []);
});

test.each(names)('%s appears in no log, event, metric, table or command', (name) => {
  const secret = secretOf(name);
  const found = [...outputs].filter(([, text]) => holds(text, secret)).map(([place]) => place);
  expect(found).toEqual(indiscreetPlans.has(name) ? ['the table plan_revisions'] : []);
});

test('What is no secret is found in all these places, so nothing was overlooked', () => {
  const found = (text: string) =>
    [...outputs].filter(([, output]) => holds(output, text)).map(([place]) => place);
  expect(found('says-provision')).toEqual(
    expect.arrayContaining(['the log', 'events', 'accesses', 'the table operations']),
  );
  expect(found('told to everybody')).toEqual(['the table service_instances']);
  expect(found('Cannot log in with *** at https://user:***@there.')).toEqual(
    expect.arrayContaining(['the log', 'events', 'the table operations']),
  );
});

test('What a provisioner notes of its progress shows no secret', async () => {
  const token = canary('note');
  const step = { again: { afterMs: 60_000, memo: 1, note: `It logs in with ${token}.` } };
  const { broker } = coreInMemory(scripted({ provision: () => step }).provisioner).broker();
  await broker.provision(toProvision({ acceptsIncomplete: true, parameters: { token } }));
  const last = await broker.lastOperation({ instanceId: 'i1' });
  expect(last).toMatchObject({ operation: { note: 'It logs in with ***.' } });
});

function secretOf(name: string): string {
  const secret = (given as Readonly<Record<string, string>>)[name] ?? made.get(name);
  if (secret === undefined) throw new Error(`There was no ${name}.`);
  return secret;
}
