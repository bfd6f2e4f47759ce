// A broker that is asked for whatever comes to mind, one request after the other.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dump } from '../faults/recorded-program.ts';
import { holds } from '../faults/canary.ts';
import type { TestDatabase } from '../support/database.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { startWholeBroker, type WholeBroker } from '../support/whole-broker.ts';
import { mutate } from './mutate.ts';
import { chanceFrom, type Bounds, type Chance } from './random.ts';
import { offerings, tsuruPassword, validRequest, type FuzzRequest } from './requests.ts';
import { faultsOf } from './rules.ts';
import { answerTo } from './transport.ts';
import { stockTaker, type Stock } from './stock.ts';

export interface SequenceReport {
  readonly requests: number;
  /** How often each status was answered. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Each with the request and the answer. */
  readonly faults: readonly string[];
}

/** Ends early when it has found ten faults. */
export async function fuzzSequence(
  database: TestDatabase,
  { seed, count, time }: Bounds,
): Promise<SequenceReport> {
  const chance = chanceFrom(seed);
  const secret = `canary${seed}is${chance.below(2 ** 30)}hidden`;
  const broker = await startWholeBroker(database, {
    CATALOG_DIR: writeCatalog(),
    TSURU_PASSWORD: tsuruPassword,
    // Failed logins of one address are answered later and later; here each has an address of its own.
    TRUST_PROXY: '1',
  });
  const faults: string[] = [];
  const statuses: Record<string, number> = {};
  let requests = 0;
  try {
    const takeStock = await stockTaker(database);
    const end = performance.now() + time;
    let before = await takeStock();
    for (; requests < count && performance.now() < end && faults.length < 10; requests++) {
      if (requests % 200 === 199) before = await forget(database, takeStock);
      const request = mutated(validRequest(chance, before, secret), chance);
      const asked = performance.now();
      const answer = await answerTo(broker.url, request, addressOf(requests));
      const ms = performance.now() - asked;
      const after = await untilQuiet(takeStock);
      statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
      const found = faultsOf({ request, answer, ms, before, after, secret });
      if (found.length > 0) faults.push(told(requests, request, answer, found));
      before = after;
    }
  } finally {
    await broker.stop();
  }
  faults.push(...(await leaksOf(database, broker, secret)));
  return { requests, statuses, faults };
}

function mutated(request: FuzzRequest, chance: Chance): FuzzRequest {
  let next = request;
  for (let left = chance.below(4); left > 0; left--) next = mutate(next, chance);
  return next;
}

function addressOf(number: number): string {
  return `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`;
}

function told(
  number: number,
  request: FuzzRequest,
  { status, text }: { status: number; text: string },
  found: readonly string[],
) {
  const { body = '', ...rest } = request;
  const shown = Buffer.from(body).toString('latin1').slice(0, 1000);
  return [
    `Request ${number}:`,
    ...found,
    `  ${JSON.stringify(rest)}`,
    `  ${JSON.stringify(shown)}`,
    `  ${status} ${text.slice(0, 1000)}`,
  ].join('\n');
}

/** What goes on after an answer ends by itself; then rows stay as they are. */
function untilQuiet(takeStock: () => Promise<Stock>): Promise<Stock> {
  return until('nothing is in progress', async () => {
    const stock = await takeStock();
    return stock.open === 0 && stock;
  });
}

/** Rows that only tell of earlier times go, so that looking at all rows stays cheap. */
async function forget(database: TestDatabase, takeStock: () => Promise<Stock>): Promise<Stock> {
  await database.pool.query(
    `delete from operations o where state <> 'in progress'
      and not exists (select from service_instances i where i.id = o.instance_id)`,
  );
  return takeStock();
}

async function leaksOf(
  database: TestDatabase,
  broker: WholeBroker,
  secret: string,
): Promise<readonly string[]> {
  const leaks = broker
    .output()
    .split('\n')
    .filter((line) => holds(line, secret))
    .slice(0, 3);
  const tables = await dump(database);
  return [
    ...leaks.map((line) => `A line of the log holds a secret: ${line.slice(0, 2000)}`),
    ...[...tables]
      .filter(([, rows]) => holds(rows, secret))
      .map(([name]) => `The table ${name} holds a secret in clear.`),
  ];
}

/** Things in which everything is done at once, with each feature of a plan. */
function writeCatalog(): string {
  const directory = join(scratchDirectory('fuzz'), 'offerings');
  mkdirSync(directory);
  const plans = (ids: readonly string[], more: Readonly<Record<string, object>> = {}) =>
    ids.map((id) => ({ id, name: id, description: id, ...more[id] }));
  const common = { instances_retrievable: true, bindings_retrievable: true };
  const files = [
    {
      ...common,
      id: offerings.thing.id,
      name: 'thing',
      description: 'Things that are made at once',
      plan_updateable: true,
      allow_context_updates: true,
      provisioner: 'faulty',
      parameters: {
        size: { type: 'integer', minimum: 1, maximum: 10, default: 1 },
        token: { type: 'string', default: '' },
      },
      secrets: { password: { per: 'binding', length: 24 } },
      credentials: { name: '{{thing.name}}', password: '{{secrets.password}}' },
      plans: plans(offerings.thing.plans, {
        rotatable: { binding_rotatable: true },
        gated: { requires_app: true },
        old: { maintenance_info: { version: '1.0.0', description: 'Old' } },
      }),
    },
    {
      ...common,
      id: offerings.folder.id,
      name: 'folder',
      description: 'Directories',
      provisioner: 'directory',
      credentials: { path: '{{dir.data}}' },
      plans: plans(offerings.folder.plans),
    },
    {
      ...common,
      id: offerings.echo.id,
      name: 'echo',
      description: 'Echo back the value received',
      provisioner: 'echo',
      config: { answer: 'echo' },
      secrets: { token: { per: 'binding', length: 40 }, dashboard_token: { per: 'instance', length: 40 } },
      credentials: {
        uri: '{{broker.url}}/services/echo/{{instance.id | uri}}/{{binding.id | uri}}?token={{secrets.token}}',
        token: '{{secrets.token}}',
      },
      dashboard: '{{broker.url}}/dashboard/{{instance.id | uri}}?token={{secrets.dashboard_token}}',
      plans: plans(offerings.echo.plans, { large: { with: { keep: 1000 } } }),
    },
  ];
  for (const file of files) writeFileSync(join(directory, `${file.name}.json`), JSON.stringify(file));
  return directory;
}
