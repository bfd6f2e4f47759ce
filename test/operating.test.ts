import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTestDatabase, type TestDatabase } from './support/database.ts';
import { asPattern, doInShell, stepsIn, type WalkStep } from './support/page-walk.ts';
import type { Running } from './support/run-program.ts';
import { addressOf, call, startedBrokers, stop } from './support/started-brokers.ts';
import { until } from './support/until.ts';
import { databaseAddress, operatorPassword, testPassword } from './support/whole-broker.ts';

const page = readFileSync(join(import.meta.dirname, '..', 'docs', 'operating.md'), 'utf8');
const brokers = startedBrokers();
const { scratch } = brokers;
const envFile = join(scratch, 'broker.env');

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
  for (const folder of ['share', 'catalog']) mkdirSync(join(scratch, folder));
  for (const [, path = '', content = ''] of day().matchAll(/<!-- file: (\S+) -->\n\n```\w+\n([^]*?)```/g))
    writeFileSync(join(scratch, path), content);
  const env = {
    DATABASE_URL: `'${databaseAddress(database)}'`,
    BROKER_PASSWORD: testPassword,
    OPERATOR_PASSWORD: operatorPassword,
    ENCRYPTION_KEYS: `1:${Buffer.alloc(32, 7).toString('base64')}`,
    CATALOG_DIR: join(scratch, 'catalog'),
    BACKUP_DIR: join(scratch, 'backups'),
    // Whatever this machine has to keep programs apart, they see the share.
    NODE_SANDBOX: 'off',
    ALLOW_UNISOLATED: 'true',
  };
  const lines = Object.entries(env).map(([name, value]) => `${name}=${value}\n`);
  writeFileSync(envFile, lines.join(''));
});
afterAll(() => database.close());

/** The section, with its share where a test may write. */
function day(): string {
  const [, section = ''] = /^## A day of an operator\n([^]*?)^## /m.exec(page) ?? [];
  return section.replaceAll('/srv/notes', join(scratch, 'share'));
}

interface Broker {
  readonly running: Running;
  readonly address: string;
}

/** With the variables as they stand in the file now. */
async function start(name: string): Promise<Broker> {
  const lines = readFileSync(envFile, 'utf8').trim().split('\n');
  const env = Object.fromEntries(
    lines.map((line) => line.replaceAll("'", '').split(/=(.*)/, 2) as [string, string]),
  );
  const place = { NODE_NAME: name, NODE_DIR: join(scratch, name), DATA_DIR: join(scratch, `${name}-data`) };
  const running = brokers.start({ ...env, ...place });
  return { running, address: await addressOf(running) };
}

async function restart({ running }: Broker): Promise<Broker> {
  expect((await stop(running)).code).toBe(0);
  return start('one');
}

/** Nobody has heard of it for more than half a minute, and nobody who looks waits for it. */
async function kill({ running }: Broker): Promise<void> {
  running.signal('SIGKILL');
  await running.ended;
  const longAgo = "beat_at - interval '31 seconds'";
  await database.pool.query(`update nodes set beat_at = ${longAgo} where name = 'two'`);
  await database.pool.query(`update brokers set beat_at = ${longAgo} where label like '%node two%'`);
}

/** Catalog files are looked at now and then. */
async function untilDrifted({ address }: Broker): Promise<void> {
  await until('the changed plan is in use', async () => {
    const answer = await call(`operator:${operatorPassword}`, `${address}/operator/instances?drifted=true`);
    return ((await answer.json()) as { instances: readonly unknown[] }).instances.length > 0;
  });
}

/** Does the commands in a shell that has begun as the section does, and holds what they print against the page. */
function follow(steps: readonly WalkStep[], { address }: Broker): void {
  const { expected, printed } = doInShell(scratch, [...begin, ...steps], { address });
  for (const [index, shown] of expected.entries()) expect(printed[index]).toMatch(asPattern(shown));
}

/** The steps before the one that begins so, and it with those behind it. */
function splitAt(steps: readonly WalkStep[], first: string): readonly [WalkStep[], WalkStep[]] {
  const place = steps.findIndex(({ command }) => command.startsWith(first));
  expect(place).toBeGreaterThan(0);
  return [steps.slice(0, place), steps.slice(place)];
}

const [begin = [], ...parts] = day()
  .split(/^### /m)
  .map((part) => stepsIn(part));

test('Who does what the day of an operator says sees what it shows, while brokers are started again and killed', async () => {
  const [failed = [], changed = [], lost = [], rotated = [], restored = []] = parts;
  const [change, upgrade] = splitAt(changed, 'purveyor instances --drifted');
  const [before, after] = splitAt(lost, 'purveyor nodes');
  const [addKey, removeKey] = splitAt(rotated, 'purveyor keys rotate');

  let one = await start('one');
  follow(failed, one);
  follow(change, one);
  await untilDrifted(one);
  follow(upgrade, one);
  const two = await start('two');
  follow(before, one);
  await kill(two);
  follow(after, one);
  follow(addKey, one);
  one = await restart(one);
  follow(removeKey, one);
  one = await restart(one);
  expect(readFileSync(envFile, 'utf8')).toMatch(/^ENCRYPTION_KEYS=2:[^,]+$/m);
  follow(restored, one);
});
