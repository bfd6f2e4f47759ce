/** Writes that are asked for at the same time share a transaction, so that they share its commit too. */
import {
  DatabaseError,
  type Pool,
  type PoolClient,
  type QueryConfig,
  type QueryResult,
  type QueryResultRow,
} from 'pg';
import { gather, type Runner } from './together.ts';

/** Each of its statements is done when it has an answer, or has done nothing, as if it had been run by itself. */
export interface WriteGroups {
  /**
   * @param order what the statement locks; those of one transaction are run in this order, so that no two of them wait
   * for each other
   */
  of(order: string): Runner;
}

/**
 * For statements that write, briefly, and would be whole transactions by themselves. What is asked for while others
 * are written is written next, all of it in one transaction, which leaves in one system call. When that comes to
 * nothing, each is run by itself, so that a failure is of whoever has caused it. When nothing has come for a second,
 * nobody is kept waiting for it any longer.
 * @param pool its connections have `pipeline`; two of them are used at most
 * @param alone for those that nobody is there to share with
 * @param lockMs for which one of them may wait for what somebody else has locked; then each is run by itself, so that
 * it holds up nobody else
 */
export function inGroups(pool: Pool, alone: Runner, lockMs = standardLockMs): WriteGroups {
  const going = new Set<Group>();
  const waiting: Asked[] = [];
  let isPlanned = false;

  function add(asked: Asked): void {
    waiting.push(asked);
    relieve();
  }

  function relieve(): void {
    if (going.size < mostGroups || ![...going].every(isStuck)) return plan();
    for (const one of waiting.splice(0)) void runAlone(one);
  }

  /** At the end of this turn of the event loop, when all that is asked in it is there. */
  function plan(): void {
    if (isPlanned || waiting.length === 0 || going.size === mostGroups) return;
    isPlanned = true;
    setImmediate(() => {
      isPlanned = false;
      void begin(waiting.splice(0, mostOfGroup));
      plan();
    });
  }

  async function begin(all: readonly Asked[]): Promise<void> {
    const group = { since: performance.now() };
    going.add(group);
    // Whoever waits by then is not kept waiting, also when nobody else comes.
    const late = setTimeout(relieve, stuckAfterMs + 50);
    const [first] = all;
    const isSettled = first && all.length === 1 ? await runAlone(first) : await runInOne(pool, all, lockMs);
    clearTimeout(late);
    going.delete(group);
    plan();
    if (!isSettled) for (const one of all) void runAlone(one);
  }

  async function runAlone({ statement, settle }: Asked): Promise<true> {
    const [outcome] = await Promise.allSettled([alone.query(statement)]);
    settle(outcome);
    return true;
  }

  return {
    of: (order) => ({
      query: <Row extends QueryResultRow>(statement: QueryConfig) =>
        new Promise<QueryResult<Row>>((resolve, reject) => {
          add({
            order,
            statement,
            settle: (outcome) =>
              outcome.status === 'fulfilled'
                ? resolve(outcome.value as QueryResult<Row>)
                : reject(outcome.reason as Error),
          });
        }),
    }),
  };
}

interface Asked {
  readonly order: string;
  readonly statement: QueryConfig;
  readonly settle: (outcome: Outcome) => void;
}

type Outcome = PromiseSettledResult<QueryResult>;

interface Group {
  /** By the clock of `performance`. */
  readonly since: number;
}

/** One is written while the next gathers, and none waits for the disk of the one before. */
const mostGroups = 2;
const mostOfGroup = 32;
const standardLockMs = 200;
const stuckAfterMs = 1_000;

function isStuck({ since }: Group): boolean {
  return performance.now() - since > stuckAfterMs;
}

/** @returns false when it has certainly changed nothing; then none is settled */
async function runInOne(pool: Pool, all: readonly Asked[], lockMs: number): Promise<boolean> {
  const client = await pool.connect().catch(() => undefined);
  if (!client) return false;
  const inOrder = all.toSorted((one, other) => (one.order < other.order ? -1 : 1));
  const { begun, outcomes, ended } = await send(client, inOrder, lockMs);
  client.release([begun, ...outcomes, ended].some(hasFailed));
  // Without a beginning each was a transaction by itself.
  const isOne = !hasFailed(begun);
  if (isOne && (isRolledBack(ended) || (hasFailed(ended) && outcomes.some(isRefused)))) return false;
  // Whether a commit without an answer has happened, only the server knows.
  inOrder.forEach(({ settle }, at) => settle(isOne && hasFailed(ended) ? ended : (outcomes[at] as Outcome)));
  return true;
}

async function send(client: PoolClient, all: readonly Asked[], lockMs: number) {
  gather(client);
  const begun = client.query(`begin; set local lock_timeout = ${lockMs}`);
  const asked = all.map(({ statement }) => client.query(statement));
  const [first, last, ...outcomes] = await Promise.allSettled([begun, client.query('commit'), ...asked]);
  return { begun: first, outcomes, ended: last };
}

function hasFailed({ status }: Outcome): boolean {
  return status === 'rejected';
}

/** Postgres carries out nothing more in a transaction in which it has refused something, and ends it undone. */
function isRolledBack(ended: Outcome): boolean {
  return ended.status === 'fulfilled' && ended.value.command !== 'COMMIT';
}

/** By the server, and not since there was no answer. */
function isRefused(outcome: Outcome): boolean {
  return outcome.status === 'rejected' && outcome.reason instanceof DatabaseError;
}
