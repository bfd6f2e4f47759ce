import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { openPool } from '../../src/postgres/connections.ts';
import { backupTurns } from '../../src/program/backups/turns.ts';
import { readKeys } from '../../src/stores/keyring.ts';
import { postgresOrphans } from '../../src/stores/postgres/orphans.ts';
import { postgresPorts } from '../../src/stores/postgres/ports.ts';
import { postgresStore } from '../../src/stores/postgres/index.ts';
import { heldFromBirth, provisioning } from '../stores/contract/steps.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import {
  operatorPassword,
  startWholeBroker,
  testPassword,
  type WholeBroker,
} from '../support/whole-broker.ts';
import { writeOfferings } from './offerings.ts';
import { dearParts, rememberStatements, type Sent } from './touched.ts';
import { ask, askTwice, lifeOf, looks } from './tour.ts';
import { fillWorld, idOf } from './world.ts';

/** Nothing that a request or a loop sends goes through a large table: what it costs is that of an index. */

const count = 10_000;
/** The most that is looked at for one page. */
const most = 1100;

/** What tells how much there is goes through that, and no more. None of it is needed to find a thing, or to change it. */
const counting = [
  // Who uses how much of a quota, for operators.
  /group by 1/,
];

let database: TestDatabase;
let sent: readonly Sent[];

beforeAll(async () => {
  database = await openTestDatabase();
  const key = `scale:${randomBytes(32).toString('base64')}`;
  const scratch = scratchDirectory('scale');
  const env = { CATALOG_DIR: writeOfferings(scratch), ENCRYPTION_KEYS: key };
  await (await startWholeBroker(database, env)).stop();
  await fillWorld(database.pool, count, readKeys(key));
  const remembered = rememberStatements();
  const broker = await startWholeBroker(database, env);
  try {
    await askAll(broker, remembered);
  } finally {
    await broker.stop();
  }
  await runRarely(openPool(database.config));
  remembered.stop();
  sent = remembered.sent();
});
afterAll(() => database.close());

async function askAll(broker: WholeBroker, remembered: ReturnType<typeof rememberStatements>): Promise<void> {
  const asker = {
    url: broker.url,
    logins: { platform: `broker:${testPassword}`, operator: `operator:${operatorPassword}` },
  };
  for (const look of looks) await askTwice(asker, look);
  for (const offering of ['echoes', 'counted', 'folders'])
    for (const step of lifeOf(offering, `scale-life-of-${offering}`)) await ask(asker, step);
  await until('the instances are counted', async () => {
    await ask(asker, { name: 'metrics', method: 'GET', path: '/metrics', as: 'operator' });
    return remembered.sent().some(({ text }) => /from service_instances i where true/.test(text));
  });
}

/** What loops do once an hour, or where there are nodes. */
async function runRarely(pool: Pool): Promise<void> {
  const store = postgresStore(pool);
  for (const node of [undefined, 'gone-1', 'no-such']) {
    await store.claim('holder', 1000, node);
    await store.nextDue(node);
    await store.claimUnitCheck(node);
    await store.nextUnitCheck(node);
  }
  await store.prune(365 * 86_400_000);
  await store.audit.prune(365 * 86_400_000, 1000);
  await store.expired(100);
  const quota = { of: 'all', per: 'total', instances: 10 } as const;
  const opening = provisioning({}, heldFromBirth('provision', { offeringId: 'echoes' }));
  const quotas = [{ quota, isNew: true, cost: 0, held: 0 }];
  await store.place(opening, { maxInstances: 5, quotas });
  const found = [1, 2, 3].map((n) => ({ name: `thing-${n}`, instanceId: idOf(n), key: `p${n}` }));
  for (const where of [{ provisioner: 'postgres' }, { provisioner: 'folders', node: 'gone-1' }]) {
    await postgresOrphans(pool).look(where, found);
    await postgresOrphans(pool).isNobodys(where, { name: 'thing', instanceId: idOf(1) });
  }
  await postgresPorts(pool).take('gone-9', 'scale-ports', ['main']);
  const turns = backupTurns(pool);
  const plan = { offeringId: 'folders', planId: 'folders-plan', every: 60_000 };
  let after = await turns.enter(plan);
  while (after !== undefined) after = await turns.enter(plan, after);
  for (const last of [undefined, idOf(5000)])
    await turns.expired([{ planId: 'folders-plan', count: 3, time: 86_400_000 }], last);
  await pool.query('analyze backup_turns');
  for (const every of [60_000, 86_400_000]) await turns.claim([{ ...plan, every }], 1);
  await pool.end();
}

test('Every statement of requests and loops finds what it wants by an index, among very many.', async () => {
  const dear: string[] = [];
  for (const one of sent.filter(({ text }) => !counting.some((pattern) => pattern.test(text)))) {
    const parts = await dearParts(database.pool, one, most);
    if (parts.length > 0) dear.push(`${one.text.replaceAll(/\s+/g, ' ')}\n  ${parts.join('\n  ')}`);
  }
  expect(sent.length).toBeGreaterThan(100);
  expect([...new Set(dear)]).toEqual([]);
});
