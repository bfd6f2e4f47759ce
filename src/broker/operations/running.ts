import type { ServicePlan } from '../catalog.ts';
import { type OperationSummary, summarize } from '../events.ts';
import type { ServiceInstance } from '../records.ts';
import type { Hint, LeasedOperation } from '../store.ts';
import { cancelledByHand } from './failures.ts';
import { type Ended, type RunningOperation, startRunning } from './run.ts';
import type { OperationContext } from './step.ts';

/** All operations that run in this process, whether a request or the queue has begun them. */
export interface Running {
  /** @param keep it runs on between its steps, as long as somebody waits; else it is let go until the next is due */
  begin(plan: ServicePlan, held: LeasedOperation, keep: boolean): RunningOperation;
  /** Takes up one due operation; `ended` when it has run as far as it goes now. */
  take(): Promise<{ ended: Promise<Ended> } | undefined>;
  /** A hint of the store: an operation that runs here may have been cancelled. */
  onHint(hint: Hint): void;
  /** Ends when nothing runs here any more. */
  rest(): Promise<void>;
  /** What runs here now. */
  inHand(): readonly OperationSummary[];
  /** Settles when an operation that runs here does not run here any more; undefined: it does not run here. */
  endOf(operationId: string): Promise<Ended> | undefined;
  /** Everything has been handed over, or is being. */
  isLeaving(): boolean;
  /** Ends all steps that run here and leaves their operations to other brokers. */
  handOver(): Promise<void>;
}

export function createRunning(
  core: OperationContext,
  planOf: (instance: ServiceInstance) => Promise<ServicePlan>,
): Running {
  const { store, settings, observe } = core;
  const running = new Map<string, RunningOperation>();
  let leaving = false;

  function begin(plan: ServicePlan, held: LeasedOperation, keep: boolean): RunningOperation {
    const one = startRunning(core, plan, held, keep);
    running.set(one.operationId, one);
    void one.ended.finally(() => running.get(one.operationId) === one && running.delete(one.operationId));
    // It was on its way here when everything was handed over.
    if (leaving) one.handOver();
    return one;
  }

  async function take() {
    const held = await store.claim(settings.holder, settings.lease, settings.node);
    if (!held) return undefined;
    observe({ type: 'operation-claimed', operation: summarize(held.operation) });
    try {
      const plan = await planOf(held.operation.confidential.target ?? held.instance);
      return begin(plan, held, false);
    } catch (error) {
      // One bad row must not stop the others: it comes again when its lease is over.
      observe({ type: 'trouble', doing: `taking up operation ${held.operation.id}`, detail: String(error) });
      return { ended: Promise.resolve<Ended>({ lost: true }) };
    }
  }

  return {
    begin,
    take,
    onHint(hint) {
      if ('ending' in hint) running.get(hint.ending)?.abort(cancelledByHand);
      if ('cancelled' in hint) running.get(hint.cancelled)?.drop();
    },
    async rest() {
      while (running.size > 0) await Promise.all([...running.values()].map(({ ended }) => ended));
    },
    inHand: () => [...running.values()].map(({ operation }) => summarize(operation)),
    endOf: (operationId) => running.get(operationId)?.ended,
    isLeaving: () => leaving,
    async handOver() {
      leaving = true;
      const all = [...running.values()];
      for (const one of all) one.handOver();
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}
