// What is to be told, as triggers have written it, and who is told; on the database's clock.
import type { Pool } from 'pg';
import type { AuditEntry } from '../../broker/audit.ts';
import type { DeadWebhook, WebhookReceiver } from '../../broker/offices/webhooks.ts';
import { persistently, queryOn, queryThrough, type Query, type QueryRow } from '../../postgres/query.ts';
import { raw, sql } from '../../postgres/sql.ts';
import { inTransaction } from '../../postgres/transaction.ts';
import { auditInsertion } from '../../stores/postgres/audit/write.ts';

/** Something to be told, in our hands. */
export interface Delivery {
  readonly id: string;
  readonly event: string;
  readonly data: object;
  readonly createdAt: Date;
  /** This one among them. */
  readonly tries: number;
  /** Milliseconds since it was to be told. */
  readonly age: number;
}

export type StoredReceiver = Pick<WebhookReceiver, 'name' | 'target' | 'events' | 'offerings'>;

export type StoredWebhooks = ReturnType<typeof storedWebhooks>;

/** Those of migration 29. */
const triggers = [
  ['operations', 'webhooks_of_operations'],
  ['operations', 'webhooks_of_new_operations'],
  ['instance_checks', 'webhooks_of_statuses'],
] as const;

const after = (ms: number) => sql`now() + ${ms} * interval '1 millisecond'`;

/** @param holder this broker */
export function storedWebhooks(pool: Pool, holder: string) {
  const query = queryThrough(pool);

  /** Only where something is to be changed: it waits for everybody who writes, and everybody for it. */
  async function switchTriggers(to: 'enable' | 'disable'): Promise<void> {
    for (const [table, trigger] of triggers) {
      const [row] = await query(sql`
        select tgenabled <> 'D' as enabled from pg_trigger where tgrelid = ${table}::regclass and tgname = ${trigger}`);
      if (row?.['enabled'] === (to === 'enable')) continue;
      await query(sql`alter table ${raw(table)} ${raw(to)} trigger ${raw(trigger)}`);
    }
  }

  return {
    /** There they are, still: from now on what happens is written for them. */
    async register(receivers: readonly StoredReceiver[]): Promise<void> {
      for (const { name, target, events, offerings } of receivers)
        await query(sql`
          insert into webhook_receivers (name, target, events, offerings)
          values (${name}, ${target}, ${events ?? null}::text[], ${offerings ?? null}::text[])
          on conflict (name) do update set target = excluded.target, events = excluded.events,
            offerings = excluded.offerings, seen_at = now()`);
      if (receivers.length > 0) await switchTriggers('enable');
    },
    /** Forgets what no broker has had for a day; without receivers nothing is written any more. */
    async retire(): Promise<void> {
      const isAlone = await persistently(() =>
        inTransaction(pool, async (client) => {
          const on = queryOn(client);
          await on(sql`delete from webhook_receivers where seen_at < now() - interval '1 day'`);
          return (await on(sql`select from webhook_receivers limit 1`)).length === 0;
        }),
      );
      if (isAlone) await switchTriggers('disable');
    },
    ...claimsOf(query, holder),
    ...viewsOf(query),
  };
}

function claimsOf(query: Query, holder: string) {
  return {
    async claim(receiver: string, leaseMs: number): Promise<Delivery | undefined> {
      const [row] = await query(sql`
        update webhook_deliveries set holder = ${holder}, tries = tries + 1, due_at = ${after(leaseMs)}
        where id = (select id from webhook_deliveries
          where receiver = ${receiver} and state = 'waiting' and due_at <= now()
          order by due_at limit 1 for update skip locked)
        returning id, event, data, created_at, tries, extract(epoch from now() - since) * 1000 as age`);
      return row && readDelivery(row);
    },
    /** Milliseconds until one is due; undefined when there is none. */
    async nextDue(receiver: string): Promise<number | undefined> {
      const [row] = await query(sql`
        select extract(epoch from min(due_at) - now()) * 1000 as ms from webhook_deliveries
        where receiver = ${receiver} and state = 'waiting'`);
      return row?.['ms'] === null ? undefined : Math.max(0, Number(row?.['ms']));
    },
    async delivered(id: string): Promise<void> {
      await query(sql`delete from webhook_deliveries where id = ${id}`);
    },
    /** @param againMs undefined: it is given up */
    async failed({ id, tries }: Delivery, trouble: string, againMs: number | undefined): Promise<void> {
      await query(sql`
        update webhook_deliveries set holder = null, trouble = ${trouble.slice(0, 1000)},
          state = ${againMs === undefined ? 'dead' : 'waiting'}, due_at = ${after(againMs ?? 0)}
        where id = ${id} and holder = ${holder} and tries = ${tries}`);
    },
    async prune(olderThanMs: number): Promise<void> {
      await query(sql`
        delete from webhook_deliveries where id in (
          select id from webhook_deliveries where state = 'dead' and since < ${after(-olderThanMs)}
          limit 1000 for update skip locked)`);
    },
  };
}

function viewsOf(query: Query) {
  return {
    async list(): Promise<readonly WebhookReceiver[]> {
      const rows = await query(sql`
        select r.*, d.* from webhook_receivers r cross join lateral (
          select count(*) filter (where state = 'waiting')::integer as waiting,
            count(*) filter (where state = 'dead')::integer as dead,
            min(created_at) filter (where state = 'waiting') as oldest,
            (array_agg(trouble order by due_at desc) filter (where state = 'waiting' and trouble is not null))[1]
              as trouble
          from webhook_deliveries where receiver = r.name) d
        order by r.name`);
      return rows.map(readReceiverRow);
    },
    async dead(receiver: string, limit: number): Promise<readonly DeadWebhook[] | undefined> {
      const [there] = await query(sql`select from webhook_receivers where name = ${receiver}`);
      if (!there) return undefined;
      const rows = await query(sql`
        select * from webhook_deliveries where receiver = ${receiver} and state = 'dead'
        order by created_at desc, id desc limit ${limit}`);
      return rows.map(readDead);
    },
    /** Its day begins anew. Gives how many it were. */
    async retry(receiver: string, id: string | undefined, audit: AuditEntry): Promise<number> {
      const [row] = await query(sql`
        with retried as (
          update webhook_deliveries set state = 'waiting', tries = 0, due_at = now(), since = now()
          where receiver = ${receiver} and state = 'dead' and (${id}::text is null or id = ${id}) returning id
        ), audited as (${auditInsertion(audit, sql`retried`)})
        select count(*)::integer as count from retried`);
      return Number(row?.['count'] ?? 0);
    },
  };
}

function readDelivery(row: QueryRow): Delivery {
  return {
    id: String(row['id']),
    event: String(row['event']),
    data: row['data'] as object,
    createdAt: row['created_at'] as Date,
    tries: Number(row['tries']),
    age: Number(row['age']),
  };
}

function readReceiverRow(row: QueryRow): WebhookReceiver {
  return {
    name: String(row['name']),
    target: String(row['target']),
    events: (row['events'] as string[] | null) ?? undefined,
    offerings: (row['offerings'] as string[] | null) ?? undefined,
    waiting: Number(row['waiting']),
    dead: Number(row['dead']),
    oldestWaiting: (row['oldest'] as Date | null) ?? undefined,
    trouble: (row['trouble'] as string | null) ?? undefined,
    seenAt: row['seen_at'] as Date,
  };
}

function readDead(row: QueryRow): DeadWebhook {
  const { instance_id: instanceId, operation_id: operationId } = row['data'] as Record<string, string>;
  return {
    id: String(row['id']),
    event: String(row['event']),
    instanceId,
    operationId,
    tries: Number(row['tries']),
    trouble: (row['trouble'] as string | null) ?? undefined,
    createdAt: row['created_at'] as Date,
  };
}
