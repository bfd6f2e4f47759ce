// Units and apps that go, and what becomes of their bindings.
import type { PoolClient } from 'pg';
import { dropExpired, findAppSql, markLeaving, rows, type Row } from './app-rows.ts';
import type { App } from './apps.ts';

/** As `Apps.leave`. */
export async function leave(
  client: PoolClient,
  instanceId: string,
  { kind, name, host: appHost }: App,
  host: string | undefined,
): Promise<readonly string[] | undefined> {
  await client.query(dropExpired, [instanceId]);
  const [app] = await rows(client, findAppSql, [instanceId, kind, name, appHost]);
  // Units are asked for again when the answer was lost, and tsuru takes a 404 for an unbind that has failed.
  if (!app) return host === undefined ? undefined : [];
  const { binding_id: bindingId } = app;
  if (app.leaving) return [bindingId];
  if (host !== undefined) {
    const [stake] = (await rows(client, stakesOn, [instanceId, host])).filter(
      (one) => one.binding_id === bindingId,
    );
    return stake ? remove(client, instanceId, [stake]) : [];
  }
  await client.query(markLeaving, [instanceId, bindingId]);
  return [bindingId];
}

// Of the app with most units first, as far as it is known that they are there.
const stakesOn = `
  with known as (
    select s.*, count(*) over own as stakes, count(*) filter (where not doubtful) over own as sure
    from tsuru_stakes s join tsuru_apps a using (instance_id, binding_id)
    where instance_id = $1 and leaving_since is null
    window own as (partition by binding_id)
  )
  select number, binding_id, doubtful, stakes::integer from known
  where host = $2 order by doubtful, sure desc, binding_id, number`;

/**
 * As `Apps.depart`. When only one app has units on this host, one of its units has gone. When there are others, nobody can know whose:
 * the stake is in doubt from then on, and still keeps its binding. As soon as as many units have gone as there were,
 * there is no doubt any more.
 */
export async function depart(
  client: PoolClient,
  instanceId: string,
  host: string,
): Promise<readonly string[] | undefined> {
  await client.query(dropExpired, [instanceId]);
  const stakes = await rows(client, stakesOn, [instanceId, host]);
  const [first] = stakes;
  if (!first) {
    const leaving = await rows(client, leavingOn, [instanceId, host]);
    return leaving.length > 0 ? leaving.map((one) => one.binding_id) : undefined;
  }
  if (stakes.every((one) => one.binding_id === first.binding_id)) return remove(client, instanceId, [first]);
  if (stakes.filter((one) => !one.doubtful).length <= 1) return remove(client, instanceId, stakes);
  await client.query('update tsuru_stakes set doubtful = true where number = $1', [first.number]);
  return [];
}

const leavingOn = `
  select distinct binding_id from tsuru_apps join tsuru_stakes s using (instance_id, binding_id)
  where instance_id = $1 and s.host = $2 and leaving_since is not null`;

/**
 * Gives the bindings in which there is no stake left. The last stakes stay until their binding has been removed, so
 * that who asks for it once more is understood.
 */
async function remove(
  client: PoolClient,
  instanceId: string,
  stakes: readonly Row[],
): Promise<readonly string[]> {
  const leaving: string[] = [];
  for (const [bindingId, own] of Map.groupBy(stakes, (one) => one.binding_id)) {
    if (own.length === own[0]?.stakes) {
      leaving.push(bindingId);
      await client.query(markLeaving, [instanceId, bindingId]);
    } else {
      const numbers = own.map(({ number }) => number);
      await client.query('delete from tsuru_stakes where number = any($1)', [numbers]);
    }
  }
  return leaving;
}
