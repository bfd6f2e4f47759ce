import type { Pool } from 'pg';
import type { Broker } from '../../broker/broker.ts';
import type { BrokerContext } from '../../broker/context.ts';
import { startRounds } from '../loops/rounds.ts';
import { startWorker, type Worker } from '../loops/worker.ts';
import { backupWork, nextLookAfter } from './carry.ts';
import { backupTurns } from './turns.ts';

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
  const rounds = startRounds(async () => {
    const begun = performance.now();
    await removeExpired(turns, broker).catch((error: unknown) =>
      context.observe({
        type: 'trouble',
        doing: 'removing backups that have had their time',
        detail: String(error),
      }),
    );
    return nextLookAfter(performance.now() - begun);
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

/** Those that somebody has begun to remove first: what was broken off is ended. */
async function removeExpired(turns: ReturnType<typeof backupTurns>, broker: Broker): Promise<void> {
  const plans = broker.catalog().offerings.flatMap((offering) => offering.plans);
  const lists = [turns.leftRemoving];
  for (const { id: planId, backup } of plans) {
    const { keepCount: count, keepFor: time } = backup ?? {};
    if (count !== undefined || time !== undefined) lists.push(() => turns.expired({ planId, count, time }));
  }
  for (const list of lists)
    for (const backupId of await list())
      await broker.deleteBackup({ backupId, origin: { protocol: 'broker' } });
}
