// Backs up what is due, and removes what has had its time: each broker looks, and the database says whose turn it is.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker } from '../../broker/broker.ts';
import type { BrokerContext } from '../../broker/context.ts';
import { Refusal } from '../../broker/errors.ts';
import type { WorkSource } from '../loops/worker.ts';
import type { BackupTurns, PlanTurns, Turn } from './turns.ts';

export interface CarryBackups {
  readonly turns: Pick<BackupTurns, 'enter' | 'claim' | 'pass'>;
  readonly broker: Pick<Broker, 'catalog' | 'backUp' | 'operation'>;
  readonly context: Pick<BrokerContext, 'observe' | 'settings'>;
  /** Aborted when this broker rests. */
  readonly signal: AbortSignal;
}

/** Milliseconds between two looks for what is due, at least. */
const lookEvery = 10_000;
/** How many times as long as a look takes there is a pause: looks at very many instances are a load on the database. */
const pauses = 50;
/** Milliseconds that a turn is one broker's to ask for. An instance that is busy is asked for again after them. */
const askFor = 60_000;
/** Between two looks whether a backup has ended. */
const followEvery = 1000;

const origin = { protocol: 'broker' } as const;

/** Work for a loop: each piece is one backup, from asking for it to its end. */
export function backupWork(parts: CarryBackups): WorkSource {
  const { turns, broker } = parts;
  const enterNext = enteringAll(turns);
  return {
    async take() {
      const plans = broker
        .catalog()
        .offerings.flatMap((offering) => offering.plans)
        .flatMap(({ offeringId, id, backup }) =>
          backup?.every === undefined ? [] : [{ offeringId, planId: id, every: backup.every }],
        );
      if (plans.length === 0) return { sleepMs: lookEvery };
      const begun = performance.now();
      const isMore = await enterNext(plans);
      const turn = await turns.claim(plans, askFor);
      if (turn) return { ended: take(parts, turn) };
      const took = performance.now() - begun;
      return { sleepMs: nextLookAfter(took, isMore) };
    },
  };
}

/** Goes through the instances of all plans page by page, again and again; tells after each whether more follow. */
function enteringAll({
  enter,
}: Pick<BackupTurns, 'enter'>): (plans: readonly PlanTurns[]) => Promise<boolean> {
  let at = 0;
  let after: string | undefined;
  return async function enterNext(plans) {
    const plan = plans[at];
    after = plan && (await enter(plan, after));
    if (after !== undefined) return true;
    at = plan && at + 1 < plans.length ? at + 1 : 0;
    return at > 0;
  };
}

/**
 * Milliseconds until the next look.
 * @param took those of the last one
 * @param isMore is there a page that follows the one that was looked at?
 */
export function nextLookAfter(took: number, isMore: boolean): number {
  return Math.max(isMore ? 0 : lookEvery, pauses * took);
}

/** What goes wrong is told. A backup that fails later is told by its operation, as one that somebody has asked for. */
async function take(parts: CarryBackups, turn: Turn): Promise<void> {
  const { turns, broker, context } = parts;
  const { instanceId } = turn;
  const operationId = idOf(turn);
  const tell = (error: unknown) =>
    context.observe({
      type: 'trouble',
      doing: `backing up instance ${instanceId}, which is due`,
      detail: String(error),
    });
  try {
    // Who had this turn before may have begun it and died.
    if (!(await isKnown(broker, operationId)))
      await broker.backUp({ instanceId, operationId, origin, acceptsIncomplete: true, failsLater: true });
    await turns.pass(turn);
    await untilEnded(parts, operationId);
  } catch (error) {
    const code = error instanceof Refusal ? error.code : undefined;
    // Something else goes on with it: it is asked for again when the turn is free.
    if (code === 'busy') return;
    if (code !== 'not-found') tell(error);
    if (code === 'unsupported' || code === 'not-ready') await turns.pass(turn).catch(tell);
  }
}

/** The same for whoever has the turn: an operation is never begun twice. */
function idOf({ instanceId, dueAt }: Turn): string {
  const hash = createHash('sha256')
    .update(JSON.stringify(['backup', instanceId, dueAt]))
    .digest('hex');
  return [0, 8, 12, 16, 20].map((from, at, all) => hash.slice(from, all[at + 1] ?? 32)).join('-');
}

/** So that a broker makes no more at once than its loop allows. */
async function untilEnded({ broker, signal }: CarryBackups, id: string): Promise<void> {
  while (!signal.aborted) {
    const { state } = await broker.operation(id);
    if (state === 'succeeded' || state === 'failed') return;
    await sleep(followEvery, undefined, { signal }).catch(() => undefined);
  }
}

async function isKnown(broker: Pick<Broker, 'operation'>, id: string): Promise<boolean> {
  try {
    await broker.operation(id);
    return true;
  } catch (error) {
    if (error instanceof Refusal && error.code === 'not-found') return false;
    throw error;
  }
}
