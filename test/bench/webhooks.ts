import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Pool } from 'pg';
import { mutationsOfLife } from './lifecycles.ts';
import { drive } from './peer.ts';
import { freePort, login, startBroker, stop, type Running } from './programs.ts';

export interface WebhookCost {
  readonly concurrency: number;
  /** Lives per second, each operation told to a receiver, and beside it at a broker that tells nobody. */
  readonly told: number;
  readonly untold: number;
  /** Milliseconds more for each operation. */
  readonly ms: number;
}

interface Settings {
  /** Of the broker that tells nobody. */
  readonly env: Readonly<Record<'DATABASE_URL', string>>;
  readonly directory: string;
  /** Milliseconds for each broker. */
  readonly ms: number;
}

/** The difference is small: in short turns what else the machine does is in both. */
const turns = 10;

/**
 * What it costs to tell of everything: a broker with a receiver beside one without, in turns, each in a schema of its own,
 * since all who share a database write what is to be told. A turn ends when all of it was told.
 */
export async function measureWebhooks(
  { port }: Running,
  { env, directory, ms }: Settings,
): Promise<readonly WebhookCost[]> {
  const pool = new Pool({ connectionString: env.DATABASE_URL });
  await pool.query('create schema bench_webhooks');
  const receiver = await startReceiver();
  const secrets = [`whsec_${randomBytes(32).toString('base64')}`];
  const file = join(directory, 'webhooks.json');
  const receivers = [{ name: 'bench', url: receiver.url, secrets, events: ['operation.succeeded'] }];
  writeFileSync(file, JSON.stringify({ receivers }), { mode: 0o600 });
  const schema = `options=${encodeURIComponent('-c search_path=bench_webhooks')}`;
  const teller = await startBroker(await freePort(), {
    ...env,
    DATABASE_URL: `${env.DATABASE_URL}${env.DATABASE_URL.includes('?') ? '&' : '?'}${schema}`,
    DATA_DIR: join(directory, 'teller'),
    WEBHOOKS_FILE: file,
  });
  const [telling, silent] = await Promise.all(
    [teller.port, port].map((one) => drive({ url: `http://127.0.0.1:${one}`, login, offering: 'echo' })),
  );
  async function untilTold(): Promise<void> {
    const { rows } = await pool.query<{ count: string }>('select count(*) from bench_webhooks.operations');
    while (receiver.received() < Number(rows[0]?.count))
      await new Promise((resolve) => setTimeout(resolve, 5));
  }

  const costs: WebhookCost[] = [];
  for (const concurrency of [1, 16]) {
    let [told, untold] = [0, 0];
    // The first turn warms them up.
    for (let turn = 0; turn <= turns; turn += 1) {
      const share = turn === 0 ? 0 : 1 / turns;
      told += ((await telling?.measure(concurrency, ms / turns)) ?? 0) * share;
      await untilTold();
      untold += ((await silent?.measure(concurrency, ms / turns)) ?? 0) * share;
    }
    const more = ((1 / told - 1 / untold) * concurrency * 1000) / mutationsOfLife;
    costs.push({ concurrency, told, untold, ms: more });
  }
  for (const one of [telling, silent]) one?.close();
  await stop(teller);
  receiver.close();
  await pool.end();
  return costs;
}

/** Takes whatever it is told. */
async function startReceiver() {
  let received = 0;
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      received += 1;
      response.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: () => received,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
