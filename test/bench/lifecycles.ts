import type { Pool } from 'pg';
import { askOnce, requestText } from './load.ts';

const ids = { service_id: 'echo_service', plan_id: 'big_0001' };
const hints = `service_id=${ids.service_id}&plan_id=${ids.plan_id}`;
/** Mutations in one life: provision, bind, unbind, deprovision. */
export const mutationsOfLife = 4;

/** Whole lives of echo instances, per second. */
export function measureLives(port: number, login: string, concurrency: number, ms: number): Promise<number> {
  let count = 0;
  return perSecond(concurrency, ms, async () => {
    const path = `/v2/service_instances/bench-${process.pid}-${concurrency}-${(count += 1)}`;
    const ask = (method: string, of: string, status: number, body?: object) =>
      askOnce(port, requestText({ method, path: of, login, ...(body ? { body } : {}) }), status);
    await ask('PUT', path, 201, { ...ids, organization_guid: 'o', space_guid: 's' });
    await ask('PUT', `${path}/service_bindings/b`, 201, ids);
    await ask('DELETE', `${path}/service_bindings/b?${hints}`, 200);
    await ask('DELETE', `${path}?${hints}`, 200);
  });
}

/** Fetches of an instance, per second: as much HTTP and one read of the database, but no write. */
export async function measureFetches(
  port: number,
  login: string,
  concurrency: number,
  ms: number,
): Promise<number> {
  const path = `/v2/service_instances/fetched-${process.pid}-${concurrency}`;
  const body = { ...ids, organization_guid: 'o', space_guid: 's' };
  await askOnce(port, requestText({ method: 'PUT', path, login, body }), 201);
  const request = requestText({ method: 'GET', path, login });
  return perSecond(concurrency, ms, async () => void (await askOnce(port, request, 200)));
}

/** Single-row commits by the broker's driver on the broker's database, per second. */
export async function measureCommits(pool: Pool, concurrency: number, ms: number): Promise<number> {
  await pool.query('create table if not exists bench_commits (id bigserial primary key, note text)');
  return perSecond(concurrency, ms, async () => {
    await pool.query('insert into bench_commits (note) values ($1)', ['a row about as long as a short word']);
  });
}

async function perSecond(concurrency: number, ms: number, once: () => Promise<void>): Promise<number> {
  const started = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (performance.now() - started < ms) {
        await once();
        done += 1;
      }
    }),
  );
  return done / ((performance.now() - started) / 1000);
}
