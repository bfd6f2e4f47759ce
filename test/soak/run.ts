// Lives with one broker at half of what it can do, and looks again and again what it holds while it is at rest.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { offeringNames, writeOfferings } from '../chaos/offerings.ts';
import { chanceFrom, type Chance } from '../fuzz/random.ts';
import { ask, lifeOf, looks, type Asker } from '../scale/tour.ts';
import type { TestDatabase } from '../support/database.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { databaseAddress } from '../support/whole-broker.ts';
import type { Held } from './broker.ts';
import { ifOdd } from './odd.ts';

export interface SoakBounds {
  readonly seed: number;
  /** Milliseconds after which nothing new is begun. */
  readonly time: number;
}

export interface Look extends Held {
  /** Lives until then. */
  readonly done: number;
  /** To the database. */
  readonly connections: number;
  /** Below the directories of the broker and of its node. */
  readonly files: number;
  /** Instances and bindings. */
  readonly rows: number;
}

export interface SoakReport {
  readonly lives: number;
  readonly requests: number;
  readonly looks: readonly Look[];
}

/** Of no instance that another world has. */
const lists = looks.filter(({ path }) => !/instances\/\w/.test(path));
const atOnce = 4;
const looksInAll = 15;
const passwords = { platform: 'of-the-platform', operator: 'of-the-operator', tsuru: 'of-tsuru' };

export async function runSoak(database: TestDatabase, { seed, time }: SoakBounds): Promise<SoakReport> {
  const scratch = scratchDirectory('soak');
  chmodSync(scratch, 0o755);
  const broker = await startSoaked(database, scratch);
  const asker: Asker = {
    url: broker.url,
    logins: { platform: `broker:${passwords.platform}`, operator: `operator:${passwords.operator}` },
  };
  const seen: Look[] = [];
  const count = { lives: 0, requests: 0 };
  const chance = chanceFrom(seed);
  const end = performance.now() + time;
  try {
    for (let turn = 1; turn <= looksInAll; turn++) {
      const until = end - time * (1 - turn / looksInAll);
      await Promise.all(Array.from({ length: atOnce }, () => live(asker, chance, until, count)));
      seen.push(await lookAt(broker, database, scratch, count.lives));
    }
  } finally {
    await broker.stop();
  }
  return { ...count, looks: seen };
}

/** Works for as long as it rests, so half of the time. */
async function live(
  asker: Asker,
  chance: Chance,
  until: number,
  count: { lives: number; requests: number },
): Promise<void> {
  while (performance.now() < until) {
    const begun = performance.now();
    const offering = chance.of(offeringNames);
    for (const step of lifeOf(offering, `soak-${(count.lives += 1)}`)) {
      await ask(asker, step);
      count.requests += 1 + (await ifOdd(asker.url, chance));
    }
    await ask(asker, chance.of(lists));
    count.requests += 1;
    await pause(performance.now() - begun);
  }
}

interface Soaked {
  readonly url: string;
  look(): Promise<Held>;
  stop(): Promise<void>;
}

async function startSoaked(database: TestDatabase, scratch: string): Promise<Soaked> {
  for (const part of ['data', 'node']) {
    mkdirSync(join(scratch, part));
    chmodSync(join(scratch, part), 0o755);
  }
  const address = `${databaseAddress(database)}&application_name=${database.schema.slice(0, 60)}`;
  const child: ChildProcess = fork(join(import.meta.dirname, 'broker.ts'), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
    env: {
      PATH: process.env['PATH'],
      PORT: '0',
      HOST: '127.0.0.1',
      LOG_FORMAT: 'json',
      DATABASE_URL: address,
      SHARED_POSTGRES_URL: database.config.connectionString,
      CATALOG_DIR: writeOfferings(scratch),
      DATA_DIR: join(scratch, 'data'),
      NODE_DIR: join(scratch, 'node'),
      NODE_ROLE: 'true',
      NODE_NAME: 'soaked',
      NODE_PORTS: '26000-26999',
      ENCRYPTION_KEYS: `soak:${Buffer.alloc(32, 7).toString('base64')}`,
      BROKER_PASSWORD: passwords.platform,
      OPERATOR_PASSWORD: passwords.operator,
      TSURU_PASSWORD: passwords.tsuru,
      ALLOW_UNISOLATED: 'true',
      // The entries that hooks make lie beside everything that is the broker's.
      NODE_SANDBOX: 'off',
    },
  });
  const ended = once(child, 'exit');
  const [url] = (await Promise.race([
    once(child, 'message'),
    ended.then(() => Promise.reject(new Error('The broker ended while it was starting.'))),
  ])) as [string];
  return {
    url,
    async look() {
      child.send('look');
      const [held] = (await once(child, 'message')) as [Held];
      return held;
    },
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

async function lookAt(
  broker: Soaked,
  { pool, schema }: TestDatabase,
  scratch: string,
  done: number,
): Promise<Look> {
  const { rows } = await pool.query<{ connections: number; rows: number }>(
    `select (select count(*) from pg_stat_activity where application_name = $1)::integer as connections,
      ((select count(*) from service_instances) + (select count(*) from service_bindings))::integer as rows`,
    [schema.slice(0, 60)],
  );
  const files = globSync(['data/**', 'node/**', 'ledger/**'], { cwd: scratch }).length;
  const [found = { connections: NaN, rows: NaN }] = rows;
  return { done, ...(await broker.look()), ...found, files };
}
