import type { Pool } from 'pg';
import { Refusal } from '../../broker/errors.ts';
import { isAway, untilDone } from '../../postgres/trouble.ts';
import { codeOf } from '../../system/error-code.ts';

export interface Message {
  /** Counted from 1 within its instance. */
  readonly number: number;
  readonly bindingId: string;
  /** As JSON text, possibly cut. */
  readonly text: string;
  readonly receivedAt: Date;
}

export interface Summary {
  readonly bindings: number;
  /** All that ever came, also those that are no longer kept. */
  readonly messages: number;
  /** Newest first. */
  readonly latest: readonly Message[];
}

/** What the echo services remember. Any number of brokers may share one database. */
export interface Messages {
  /** Counts the message and forgets all but the newest `keep`; false when the instance is gone. */
  add(
    message: Omit<Message, 'number' | 'receivedAt'> & { instanceId: string; keep: number },
  ): Promise<boolean>;
  /** With at most `limit` of the latest messages. */
  summarize(instanceId: string, limit: number): Promise<Summary>;
}

/** Messages in Postgres; throws Refusal 'unavailable' when it cannot be reached. */
export function postgresMessages(pool: Pick<Pool, 'query'>): Messages {
  return {
    async add({ instanceId, bindingId, text, keep }) {
      try {
        await untilDone(() => pool.query(addMessage, [instanceId, bindingId, text, keep]));
        return true;
      } catch (error) {
        if (codeOf(error) === foreignKeyViolation) return false;
        throw translated(error);
      }
    },
    async summarize(instanceId, limit) {
      try {
        const counts = await untilDone(() => pool.query<CountRow>(countAll, [instanceId]));
        const latest = await untilDone(() => pool.query<MessageRow>(readLatest, [instanceId, limit]));
        const [row] = counts.rows;
        return {
          bindings: Number(row?.bindings ?? 0),
          messages: Number(row?.messages ?? 0),
          latest: latest.rows.map(readMessageRow),
        };
      } catch (error) {
        throw translated(error);
      }
    },
  };
}

// The count's row is locked first, so that the messages of one instance queue up and their numbers have no
// gaps. A message that came after the snapshot of `trimmed` is trimmed by the next one.
const addMessage = `
  with counted as (
    insert into echo_counts as c (instance_id, messages) values ($1, 1)
    on conflict (instance_id) do update set messages = c.messages + 1
    returning messages
  ), trimmed as (
    delete from echo_messages m using counted
    where m.instance_id = $1 and m.number <= counted.messages - $4::bigint
  )
  insert into echo_messages (instance_id, number, binding_id, message)
  select $1, messages, $2, $3 from counted`;

const countAll = `
  select
    (select count(*) from service_bindings where instance_id = $1 and ready) as bindings,
    (select messages from echo_counts where instance_id = $1) as messages`;

const readLatest = `
  select number, binding_id, message, received_at from echo_messages
  where instance_id = $1 order by number desc limit $2`;

interface CountRow {
  readonly bindings: string;
  readonly messages: string | null;
}

interface MessageRow {
  readonly number: string;
  readonly binding_id: string;
  readonly message: string;
  readonly received_at: Date;
}

function readMessageRow(row: MessageRow): Message {
  return {
    number: Number(row.number),
    bindingId: row.binding_id,
    text: row.message,
    receivedAt: row.received_at,
  };
}

const foreignKeyViolation = '23503';

/** What the server says of our SQL is a mistake of ours, and so is all else but that it cannot be reached now. */
function translated(error: unknown): unknown {
  if (!isAway(error)) return error;
  const refusal = new Refusal(
    'unavailable',
    'The messages cannot be reached at the moment. Try again later.',
  );
  refusal.cause = error;
  return refusal;
}
