import type { Pool } from 'pg';
import type { Broker } from '../../broker/broker.ts';
import type { BrokerContext } from '../../broker/context.ts';
import { startRounds } from '../loops/rounds.ts';
import { startWorker, type Worker } from '../loops/worker.ts';
import { backupWork, nextLookAfter } from './carry.ts';
import { type BackupTurns, backupTurns } from './turns.ts';

/** Backups that one broker makes at a time because they are due. */
const atOnce = 2;

/** The loops that make backups which are due and remove those that have had their time; without a place for them none runs. */
export function openBackupTurns(
  pool: Pool,
  broker: Broker,
  {
    workers,
    ...context
  }: Pick<BrokerContext, 'observe' | 'settings' | 'backups'> & { readonly workers: number },
): Worker {
  if (!context.backups) return { wake: () => undefined, stop: async () => undefined };
  const turns = backupTurns(pool);
  const { signal, abort } = abortable();
  const worker = startWorker({
    work: backupWork({ turns, broker, context, signal }),
    what: 'backups that are due',
    concurrency: Math.min(atOnce, workers),
    observe: context.observe,
  });
  const removeNext = removingAll(turns, broker);
  const rounds = startRounds(async () => {
    const begun = performance.now();
    const isMore = await removeNext().catch((error: unknown) =>
      context.observe({
        type: 'trouble',
        doing: 'removing backups that have had their time',
        detail: String(error),
      }),
    );
    return nextLookAfter(performance.now() - begun, isMore === true);
  });
  return {
    wake: () => worker.wake(),
    async stop(withinMs) {
      abort();
      await Promise.all([rounds.stop(), worker.stop(withinMs)]);
    },
  };
}

function abortable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

/**
 * Goes through the backups of all instances page by page, again and again; tells after each whether more follow. Those
 * that somebody has begun to remove come first: what was broken off is ended.
 */
function removingAll(turns: BackupTurns, broker: Broker): () => Promise<boolean> {
  let after: string | undefined;
  return async function removeNext() {
    const plans = broker
      .catalog()
      .offerings.flatMap((offering) => offering.plans)
      .map(({ id: planId, backup }) => ({ planId, count: backup?.keepCount, time: backup?.keepFor }))
      .filter(({ count, time }) => count !== undefined || time !== undefined);
    const remove = async (ids: readonly string[]) => {
      for (const backupId of ids) await broker.deleteBackup({ backupId, origin: { protocol: 'broker' } });
    };
    await remove(await turns.leftRemoving());
    if (plans.length === 0) return false;
    const { ids, next } = await turns.expired(plans, after);
    after = next;
    await remove(ids);
    return next !== undefined;
  };
}
