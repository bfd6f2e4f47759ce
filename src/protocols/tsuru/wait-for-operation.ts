import { setTimeout as sleep } from 'node:timers/promises';
import type { Broker } from '../../broker/broker.ts';
import { Failure, Refusal } from '../../broker/errors.ts';
import type { Outcome } from '../../broker/outcome.ts';
import type { Operation } from '../../broker/records.ts';
import { backoff } from '../../broker/timing.ts';
import type { TsuruContext } from './context.ts';

const lookEvery = { first: 50, longest: 1000 };

/**
 * tsuru has no word for "accepted": whoever asks waits for the end. Plans that insist on being asked for again are.
 * @param ask with whether the answer may be "accepted"
 * @throws Failure when it fails, or takes longer than a request may wait
 */
export async function waitForOperation<Rec>(
  tsuru: Pick<TsuruContext, 'broker' | 'patience'>,
  ask: (acceptsIncomplete: boolean) => Promise<Outcome<Rec>>,
): Promise<Outcome<Rec>> {
  try {
    return await ask(false);
  } catch (error) {
    if (!(error instanceof Refusal && error.code === 'async-required')) throw error;
  }
  const outcome = await ask(true);
  if (outcome.is !== 'accepted') return outcome;
  await ended(tsuru, outcome.operation);
  const { kind } = outcome.operation;
  // What was removed is not to be looked for again, or it would never have been there.
  if (kind !== 'bind' && outcome.record) return { is: 'done', record: outcome.record };
  return ask(true);
}

async function ended(
  { broker, patience }: Pick<TsuruContext, 'broker' | 'patience'>,
  operation: Operation,
): Promise<void> {
  const end = performance.now() + patience;
  for (let looks = 1; performance.now() < end; looks += 1) {
    await sleep(backoff(looks, lookEvery));
    const now = await look(broker, operation);
    if (now === undefined || now.state === 'succeeded') return;
    if (now.state === 'failed') throw failureOf(now);
  }
  throw new Failure('timeout', `The ${operation.kind} operation takes longer than a request can wait.`);
}

async function look(broker: Broker, { id: operationId, instanceId, bindingId }: Operation) {
  const query = { operationId, instanceId, bindingId };
  const found = await broker.lastOperation(query);
  return typeof found === 'object' ? found.operation : undefined;
}

function failureOf({ failure }: Operation): Failure | Refusal {
  if (failure?.word === 'cancelled') return new Refusal('busy', failure.sentence);
  return new Failure(failure?.word ?? 'failed', failure?.sentence ?? 'The operation failed.');
}
