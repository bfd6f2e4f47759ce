import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { keyOf } from '../../../src/broker/key.ts';
import { openTestDatabase, type TestDatabase } from '../../support/database.ts';
import { operatorPassword, startWholeBroker, type WholeBroker } from '../../support/whole-broker.ts';
import { until } from '../../support/until.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';

/** Brokers look when they start; so a test that wants another look starts the same node again. */

const directory = scratchDirectory('orphans');
chmodSync(directory, 0o755);
const key = keyOf('an instance that nobody has');
const planted = join(directory, 'node', 'process', key);

let database: TestDatabase;
let broker: WholeBroker;

function start(): Promise<WholeBroker> {
  return startWholeBroker(database, {
    CATALOG_DIR: 'test/support/node-catalog',
    NODE_NAME: 'n1',
    NODE_DIR: join(directory, 'node'),
  });
}

async function operate(method: 'get' | 'post', path: string, body?: object) {
  const login = `operator:${operatorPassword}`;
  const answer = await broker.ask(method, `/operator/${path}`, { login, ...(body ? { body } : {}) });
  return { status: answer.status, body: answer.body as unknown };
}

async function untilListed(): Promise<readonly { readonly name: string }[]> {
  return until('an orphan is listed', async () => {
    const { orphans } = (await operate('get', 'orphans')).body as { orphans: readonly { name: string }[] };
    return orphans.length > 0 && orphans;
  });
}

beforeAll(async () => {
  database = await openTestDatabase();
  broker = await start();
});
afterAll(async () => {
  await broker.stop();
  await database.close();
});

test('S14: what nobody owns is listed, and removed only when it is final and somebody has said so', async () => {
  expect((await operate('get', 'orphans')).body).toEqual({ orphans: [] });
  await broker.stop();
  mkdirSync(planted, { recursive: true });
  broker = await start();

  const [suspect] = await untilListed();
  expect(suspect).toMatchObject({ provisioner: 'process', node: 'n1', key, final: false, condemned: false });
  const named = { provisioner: 'process', node: 'n1', name: suspect?.name ?? '' };
  expect(await operate('post', 'orphans/remove', named)).toMatchObject({
    status: 409,
    body: {
      description: expect.stringMatching(
        /^It was first seen at \S+Z\. It can be removed when it is still seen after \S+Z\.$/,
      ) as string,
    },
  });

  // As if the looks so far had been further apart.
  await database.pool.query("update orphan_suspects set first_seen_at = first_seen_at - interval '301 s'");
  expect((await operate('get', 'orphans')).body).toMatchObject({ orphans: [{ final: true }] });
  expect(existsSync(planted)).toBe(true);
  expect(await operate('post', 'orphans/remove', named)).toEqual({ status: 202, body: {} });
  expect((await operate('get', 'orphans')).body).toMatchObject({ orphans: [{ condemned: true }] });

  await broker.stop();
  expect(broker.output()).toContain('"message":"found what no instance stands for"');
  broker = await start();
  await until('the planted one is gone', () => !existsSync(planted));
});
