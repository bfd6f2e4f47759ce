import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { dropExpired, findAppSql, markLeaving, rows, type Row } from './app-rows.ts';
import { refuseUnheard } from '../../../broker/errors.ts';
import type { App, Apps, AskedOf, Stake } from './apps.ts';
import { depart, leave } from './leave.ts';
import { alone, translating } from '../transaction.ts';

/** Apps in Postgres. Any number of brokers may share one database. */
export function postgresApps(pool: Pool): Apps {
  const inTurn = <Result>(instanceId: string, work: (client: PoolClient) => Promise<Result>) =>
    alone(pool, instanceId, work);
  const whileHeard = <Result>(asked: AskedOf, work: (client: PoolClient) => Promise<Result>) =>
    inTurn(asked.instanceId, (client) => {
      refuseUnheard(asked);
      return work(client);
    });
  const run = (text: string, values: readonly unknown[]) =>
    translating(async () => (await pool.query<Row>(text, [...values])).rows);
  return {
    arrive: (asked, app, host, withinMs) =>
      whileHeard(asked, async (client) => {
        const { instanceId } = asked;
        const { bindingId, knownAs } = await takeBinding(client, instanceId, app);
        return {
          instanceId,
          bindingId,
          knownAs,
          number: await takeStake(client, instanceId, bindingId, host, withinMs),
        };
      }),
    confirm: async ({ number }) => (await run(confirmStake, [number])).length > 0,
    withdraw: (stake) => inTurn(stake.instanceId, (client) => withdraw(client, stake)),
    leave: (asked, app, host) => whileHeard(asked, (client) => leave(client, asked.instanceId, app, host)),
    depart: (asked, host) => whileHeard(asked, (client) => depart(client, asked.instanceId, host)),
    async forget(instanceId, bindingId) {
      await run(forgetApp, [instanceId, bindingId]);
    },
    bound: async (instanceId, kind) =>
      (await run(boundApps, [instanceId, kind])).map(({ name }) => name ?? ''),
    async abandoned() {
      const instances = await run(instancesWithAbandoned, []);
      const found = await Promise.all(
        instances.map(({ instance_id: id = '' }) => inTurn(id, (client) => abandonedOf(client, id))),
      );
      return found.flat();
    },
  };
}

async function takeBinding(
  client: PoolClient,
  instanceId: string,
  app: App,
): Promise<Pick<Stake, 'bindingId' | 'knownAs'>> {
  const { kind, name, host } = app;
  const [known] = await rows(client, findAppSql, [instanceId, kind, name, host]);
  if (known && !known.leaving) {
    await client.query(learn, [instanceId, known.binding_id, name, host]);
    return { bindingId: known.binding_id, knownAs: known.known_as ?? '' };
  }
  const knownAs = name ?? host ?? '';
  const bindingId = `${kind}.${knownAs}.${randomUUID().slice(0, 8)}`;
  await client.query(addApp, [instanceId, bindingId, kind, knownAs, name, host]);
  return { bindingId, knownAs };
}

const learn = `
  update tsuru_apps set name = coalesce(name, $3), host = coalesce($4, host)
  where instance_id = $1 and binding_id = $2`;

const addApp = `
  insert into tsuru_apps (instance_id, binding_id, kind, known_as, name, host) values ($1, $2, $3, $4, $5, $6)`;

async function takeStake(
  client: PoolClient,
  instanceId: string,
  bindingId: string,
  host: string | undefined,
  withinMs: number,
): Promise<string> {
  const [stake] = await rows(client, addStake, [instanceId, bindingId, host, withinMs]);
  return stake?.number ?? '';
}

// The stake of the app as a whole there is only once: a repeated bind has the one that there is.
const addStake = `
  insert into tsuru_stakes as s (instance_id, binding_id, host, pending_until)
  values ($1, $2, $3, now() + $4 * interval '1 millisecond')
  on conflict (instance_id, binding_id) where host is null do update
    set pending_until = case when s.pending_until is null then null else excluded.pending_until end
  returning number`;

const confirmStake = `
  update tsuru_stakes s set pending_until = null from tsuru_apps a
  where s.number = $1 and a.instance_id = s.instance_id and a.binding_id = s.binding_id and a.leaving_since is null
  returning s.number`;

async function withdraw(client: PoolClient, { instanceId, bindingId, number }: Stake): Promise<boolean> {
  await client.query('delete from tsuru_stakes where number = $1 and pending_until is not null', [number]);
  await client.query(dropExpired, [instanceId]);
  const [stakes] = await rows(client, countStakes, [instanceId, bindingId]);
  if ((stakes?.stakes ?? 0) > 0) return false;
  await client.query(markLeaving, [instanceId, bindingId]);
  return true;
}

// Those in a binding that is leaving are gone with it.
const countStakes = `
  select count(*)::integer as stakes from tsuru_stakes join tsuru_apps using (instance_id, binding_id)
  where instance_id = $1 and binding_id = $2 and leaving_since is null`;

// A bind that still goes on may make the binding after it was removed, and its broker die before it takes that back.
const forgetApp = `
  delete from tsuru_apps a
  where instance_id = $1 and binding_id = $2 and leaving_since is not null and not exists (
    select from tsuru_stakes s
    where s.instance_id = a.instance_id and s.binding_id = a.binding_id and s.pending_until > now())`;

// A binding that an operator has removed binds nobody, whoever has had a stake in it.
const boundApps = `
  select distinct coalesce(a.name, a.host) as name from tsuru_apps a join tsuru_stakes s using (instance_id, binding_id)
  where instance_id = $1 and ($2::text is null or kind = $2) and leaving_since is null and not doubtful
    and coalesce(pending_until, 'infinity') > now()
    and (pending_until is not null or exists (
      select from service_bindings b where b.instance_id = a.instance_id and b.id = a.binding_id))
  order by 1`;

// Whoever marked it removes it at once, if he can.
const isAbandoned = `leaving_since < now() - interval '1 minute'`;

// Any of them: where a removal fails, it does not keep the others waiting.
const instancesWithAbandoned = `
  select instance_id from tsuru_apps a left join tsuru_stakes using (instance_id, binding_id)
  where ${isAbandoned} or (leaving_since is null and coalesce(pending_until, '-infinity') < now() and
    (number is null or pending_until is not null))
  group by instance_id order by random() limit 10`;

async function abandonedOf(
  client: PoolClient,
  instanceId: string,
): Promise<readonly Pick<Stake, 'instanceId' | 'bindingId'>[]> {
  await client.query(dropExpired, [instanceId]);
  await client.query(markAbandoned, [instanceId]);
  const found = await rows(client, abandonedApps, [instanceId]);
  return found.map((one) => ({ instanceId, bindingId: one.binding_id }));
}

const markAbandoned = `
  update tsuru_apps a set leaving_since = '-infinity'
  where instance_id = $1 and leaving_since is null and not exists (
    select from tsuru_stakes s where s.instance_id = a.instance_id and s.binding_id = a.binding_id)`;

const abandonedApps = `select binding_id from tsuru_apps where instance_id = $1 and ${isAbandoned}`;
