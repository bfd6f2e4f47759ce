import { join } from 'node:path';
import { Pool } from 'pg';
import { until } from '../support/until.ts';
import { askOnce, requestText } from './load.ts';
import { freePort, login, startBroker, stop } from './programs.ts';

const trial = join(import.meta.dirname, '../../catalog/trial');
/** The plan `slow` of catalog/trial/timing.yaml: each operation takes three seconds in one piece. */
const ids = {
  service_id: '95a9f5b3-db5d-420c-b4e5-48f342e6d500',
  plan_id: '95a9f5b3-db5d-420c-b4e5-48f342e6d502',
};
const operations = 8;
const where = `from operations where instance_id like 'taken-over-%' and state = 'in progress'`;

/**
 * Milliseconds from the end of a broker, killed while operations are in its hands, until another one has them in its own,
 * sorted. The lease is what is shipped.
 */
export async function measureTakeover(
  env: Readonly<Record<'DATABASE_URL', string>>,
  directory: string,
): Promise<readonly number[]> {
  const [first, second] = await Promise.all(
    ['first', 'second'].map(async (name) =>
      startBroker(await freePort(), {
        ...env,
        CATALOG_DIR: trial,
        DATA_DIR: join(directory, `${name}-of-two`),
        NODE_NAME: `${name}-of-two`,
      }),
    ),
  );
  if (!first || !second) throw new Error('Two brokers were started.');
  const pool = new Pool({ connectionString: env.DATABASE_URL });
  try {
    for (let n = 0; n < operations; n += 1) {
      const path = `/v2/service_instances/taken-over-${n}?accepts_incomplete=true`;
      const body = { ...ids, organization_guid: 'o', space_guid: 's' };
      // There is no answer to come.
      askOnce(first.port, requestText({ method: 'PUT', path, login, body }), 202).catch(() => undefined);
    }
    await until('all operations in the hands of the first', async () => {
      const { rowCount } = await pool.query(`select ${where} and holder like $1`, [`%-${first.child.pid}-%`]);
      return rowCount === operations;
    });
    const ended = new Promise((resolve) => first.child.once('exit', resolve));
    first.child.kill('SIGKILL');
    await ended;
    const killed = performance.now();
    const waits: number[] = [];
    await until('all operations in the hands of the other', async () => {
      const { rowCount } = await pool.query(`select ${where} and attempt > 1`);
      while (waits.length < (rowCount ?? 0)) waits.push(performance.now() - killed);
      return waits.length >= operations;
    });
    return waits;
  } finally {
    await pool.end();
    await stop(second);
  }
}
