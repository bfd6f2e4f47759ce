// Carries runs of upgrades on: a turn looks at what was begun, and begins what may be begun then.
import type { Broker } from '../../broker/broker.ts';
import type { BrokerContext } from '../../broker/context.ts';
import { Failure, passing, Refusal } from '../../broker/errors.ts';
import { decideUpgrades, type UpgradeItem, type UpgradeRun } from '../../broker/offices/upgrades.ts';
import type { WorkSource } from '../loops/worker.ts';
import type { HeldUpgrades, ItemChange } from './held.ts';
import type { StoredUpgrades } from './stored.ts';

export interface CarryParts {
  readonly runs: Pick<StoredUpgrades, 'find' | 'items'>;
  readonly held: HeldUpgrades;
  readonly broker: Pick<Broker, 'upgrade' | 'operation' | 'status'>;
  readonly context: Pick<BrokerContext, 'observe' | 'settings'>;
}

/** Milliseconds between two turns of a run. */
const turnEvery = 500;
/** Between two looks for a run that nobody has told of. */
const lookEvery = 5000;
/** Until an instance that was busy is asked for again. */
const busyPause = 5000;
/** That canaries have, beyond their time, to be up and well. */
const lateCanaries = 600_000;

/** Work for a loop: each piece is one turn of one run. */
export function upgradeWork(parts: CarryParts): WorkSource {
  const { held, context } = parts;
  const { lease, retention } = context.settings;
  return {
    async take() {
      const id = await held.claim(lease);
      if (id !== undefined) return { ended: turnUnderLease(parts, id, lease) };
      await held.prune(retention);
      return { sleepMs: Math.min((await held.nextDue()) ?? lookEvery, lookEvery) };
    },
  };
}

/** What goes wrong in it is told, and the next turn, of whoever comes first, begins where it was left. */
async function turnUnderLease(parts: CarryParts, id: string, lease: number): Promise<void> {
  const { held, context } = parts;
  const trouble = (error: unknown) =>
    context.observe({ type: 'trouble', doing: 'upgrading instances', detail: String(error) });
  const beat = setInterval(() => void held.renew(id, lease).catch(trouble), lease / 3);
  try {
    await turn(parts, id);
    await held.release(id, turnEvery);
  } catch (error) {
    trouble(error);
  } finally {
    clearInterval(beat);
  }
}

async function turn(parts: CarryParts, id: string): Promise<void> {
  const { runs, held } = parts;
  await Promise.all((await held.started(id)).map((item) => lookAt(parts, id, item)));
  const run = await runs.find(id);
  if (!run) return;
  const next = decideUpgrades(run);
  if ('end' in next) tellIf(parts, run, await held.end(run, next.end), next.end);
  else if ('pause' in next) await pause(parts, run, next.pause);
  else if ('look' in next) await lookAtCanaries(parts, run);
  else if (next.begin > 0) {
    const most = next.onlyCanaries ? run.canaries : 2 ** 31 - 1;
    const begun = await held.begin(id, next.begin, most);
    await Promise.all(begun.map((item) => ask(parts, run, item)));
  }
}

async function pause(parts: CarryParts, run: UpgradeRun, reason: string): Promise<void> {
  tellIf(parts, run, await parts.held.pause(run.id, reason), 'paused', reason);
}

function tellIf(
  { context }: CarryParts,
  { id, counts }: UpgradeRun,
  isSo: boolean,
  state: UpgradeRun['state'],
  reason?: string,
): void {
  if (isSo) context.observe({ type: 'upgrades-changed', run: id, state, reason, counts });
}

/** What was begun: by its operation, where that is known, else by asking once more, which comes to the same. */
async function lookAt(parts: CarryParts, id: string, item: UpgradeItem): Promise<void> {
  const { broker, held, runs } = parts;
  const operation = item.operationId === undefined ? undefined : await known(broker, item.operationId);
  if (!operation) {
    const run = await runs.find(id);
    return run && ask(parts, run, item);
  }
  if (operation.state === 'in progress') return;
  const { failure } = operation;
  const state = operation.state === 'failed' ? 'failed' : 'succeeded';
  const reason = failure && [failure.sentence, failure.detail ?? ''].join(' ').trim();
  await held.change(id, item.position, { state, reason });
}

/** One that has ended long ago may be forgotten. */
function known(broker: CarryParts['broker'], operationId: string) {
  return broker.operation(operationId).catch((error: unknown) => {
    if (error instanceof Refusal && error.code === 'not-found') return undefined;
    throw error;
  });
}

async function ask({ broker, held }: CarryParts, run: UpgradeRun, item: UpgradeItem): Promise<void> {
  const { instanceId, position } = item;
  const asked = { instanceId, acceptsIncomplete: true, failsLater: true, origin: run.origin };
  const change = await broker
    .upgrade(asked)
    .then(
      (outcome): ItemChange =>
        outcome.is === 'accepted'
          ? { state: 'started', operationId: outcome.operation.id }
          : { state: outcome.is === 'absent' ? 'skipped' : 'succeeded' },
      changeAfter,
    );
  await held.change(run.id, position, change);
}

/** @throws what nobody expected */
function changeAfter(error: unknown): ItemChange {
  if (error instanceof Failure) return { state: 'failed', reason: error.message };
  if (!(error instanceof Refusal)) throw error;
  const { code, message: reason } = error;
  if (passing.has(code)) return { state: 'waiting', reason, dueMs: busyPause };
  const isGone = code === 'not-found' || code === 'conflict' || code === 'not-ready';
  return { state: isGone ? 'skipped' : 'failed', reason };
}

/** As long as they are not well it is looked again, up to a limit. */
async function lookAtCanaries(parts: CarryParts, run: UpgradeRun): Promise<void> {
  const { held, runs, broker } = parts;
  const { id, watchedMs, watchMs, canaries } = run;
  if (watchedMs === undefined) await held.watch(id);
  if ((watchedMs ?? 0) < watchMs) return;
  const items = await runs.items({ runId: id, limit: canaries });
  const upgraded = items.filter(({ state }) => state === 'succeeded');
  const looked = await Promise.all(upgraded.map(({ instanceId }) => unwell(broker, instanceId)));
  const [first] = looked.filter((one) => one !== undefined);
  if (first === undefined) await held.pass(id);
  else if ((watchedMs ?? 0) > watchMs + lateCanaries)
    await pause(parts, run, `A canary is not well: ${first}. See why, and resume or cancel.`);
}

/** What is wrong with it; undefined: nothing, or it is gone. */
async function unwell(broker: CarryParts['broker'], instanceId: string): Promise<string | undefined> {
  try {
    const { status, reason } = await broker.status(instanceId);
    const isWell = status !== 'error' && status !== 'down' && status !== 'building';
    return isWell ? undefined : `'${instanceId}' is ${status} (${reason})`;
  } catch (error) {
    if (error instanceof Refusal && error.code === 'not-found') return undefined;
    throw error;
  }
}
