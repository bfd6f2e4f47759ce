import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerContext } from '../context.ts';
import type { LeasedOperation } from '../store.ts';

/** Milliseconds that a step which was told to end is waited for. */
const grace = 10_000;
/** The longest time a timer can be set to, about 24 days. */
const longestTimer = 2 ** 31 - 1;

/** A step's result, and why it was told to end, if it was. No result: it did not end within the grace. */
export interface LeasedResult<Result> {
  readonly result?: Result;
  readonly interruption?: 'lost' | 'deadline' | 'stop' | 'cancelled';
}

/**
 * Runs a step under the lease: renews it while the step runs, and tells the step to end when the operation is
 * lost, its deadline has passed or the carrier wants it.
 * @param stop the carrier's signal; its reason 'lost' means that somebody else has the operation now
 * @param leased when the lease began, on the clock of `performance`
 */
export async function runUnderLease<Result>(
  core: BrokerContext,
  held: LeasedOperation,
  stop: AbortSignal,
  step: (signal: AbortSignal) => Promise<Result>,
  leased = performance.now(),
): Promise<LeasedResult<Result>> {
  const control = new AbortController();
  const tell = (why: LeasedResult<Result>['interruption']) => control.abort(why);
  const onStop = () => tell(stop.reason === 'lost' ? 'lost' : 'stop');
  if (stop.aborted) onStop();
  stop.addEventListener('abort', onStop, { once: true });
  const heart = startHeart(core, held, control, leased);
  const deadline = setTimeout(() => tell('deadline'), Math.min(Math.max(0, held.remainingMs), longestTimer));
  try {
    const ended = control.signal.aborted ? {} : await untilGrace(step(control.signal), control.signal);
    const interruption = control.signal.reason as LeasedResult<Result>['interruption'];
    return { ...ended, interruption };
  } finally {
    clearInterval(heart);
    clearTimeout(deadline);
    stop.removeEventListener('abort', onStop);
  }
}

/**
 * Renews the lease in good time; the store says whether it is still ours. When the store does not answer, it
 * counts as lost as soon as the lease must be over. Once it is lost, what is kept alive is the wait of the
 * removal that follows it.
 */
function startHeart(
  { store, settings, observe }: BrokerContext,
  held: LeasedOperation,
  control: AbortController,
  leased: number,
): NodeJS.Timeout {
  const { lease } = settings;
  const pause = lease / 3;
  let renewed = leased;
  let asking = false;
  // Not the signal's reason: a step may have been told to end before for another one.
  let isLost = false;
  function lose(): void {
    isLost = true;
    control.abort('lost');
  }
  async function beat(): Promise<void> {
    const asked = performance.now();
    // Half a beat before, since timers are late.
    if (asking && asked - renewed > lease - pause / 2) lose();
    if (asking) return;
    asking = true;
    try {
      if (isLost || control.signal.reason === 'lost') return await store.holdBack(held.operation.id, lease);
      const ours = await store.renew(held, lease);
      if (!ours) return lose();
      renewed = asked;
      if (ours === 'cancelled') control.abort('cancelled' satisfies LeasedResult<unknown>['interruption']);
    } catch (error) {
      observe({ type: 'trouble', doing: 'renewing a lease', detail: String(error) });
      if (performance.now() - renewed > lease - pause / 2) lose();
    } finally {
      asking = false;
    }
  }
  return setInterval(() => void beat(), pause);
}

/** The step's own result, even if it was told to end, unless it does not end within the grace. */
function untilGrace<Result>(step: Promise<Result>, signal: AbortSignal): Promise<{ result?: Result }> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const onAbort = () => {
      timer = setTimeout(() => resolve({}), grace);
    };
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    void step
      .then((result) => resolve({ result }), reject)
      .finally(() => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      });
  });
}

/** A removal that cancelled this operation waits until its last step has ended: now it has. */
export async function releaseFollower(
  { store }: BrokerContext,
  { operation }: LeasedOperation,
): Promise<void> {
  const { id: operationId, attempt, instanceId, bindingId } = operation;
  const { operation: now } = await store.lastOperation({
    operationId,
    instanceId,
    bindingId,
  });
  // Somebody else may have held it since; then it is theirs to say.
  if (now?.id === operationId && now.attempt === attempt && now.state !== 'in progress')
    await store.release(operationId);
}

/**
 * Waits as a step runs: under the lease, however long, and until told to end.
 * @param hurry aborted: nobody waits for what comes after it
 */
export async function restUnderLease(
  {
    core,
    hurry,
    stop,
  }: { readonly core: BrokerContext; readonly hurry: AbortSignal; readonly stop: AbortSignal },
  held: LeasedOperation,
  ms: number,
): Promise<LeasedResult<void>['interruption']> {
  if (ms <= 0) return undefined;
  const wait = (signal: AbortSignal) =>
    sleep(ms, undefined, { signal: AbortSignal.any([hurry, signal]) }).catch(() => undefined);
  return (await runUnderLease(core, held, stop, wait)).interruption;
}
