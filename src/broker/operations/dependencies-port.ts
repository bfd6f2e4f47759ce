import type { ServicePlan } from '../catalog.ts';
import type { LeasedOperation } from '../store.ts';

/** How the engine sees what an instance needs of other offerings. */
export interface Dependencies {
  /**
   * Makes sure that all is there that the plan needs, and puts it under `deps` into the facts of the instance.
   * Undefined: it is being made, come again. Throws Failure when it cannot be had.
   */
  acquire(held: LeasedOperation, plan: ServicePlan): Promise<LeasedOperation | undefined>;
  /** Puts what there is of it into the facts of an instance that was never finished: its removal may need it. */
  find(held: LeasedOperation, plan: ServicePlan): Promise<LeasedOperation>;
  /** Gives back all that the instance has needed. False: that goes on, come again. */
  release(held: LeasedOperation, plan: ServicePlan): Promise<boolean>;
  /**
   * Gives back what only the plan needs that the instance leaves: by an update the present one, by an update that has
   * failed the new one. False: that goes on, come again.
   */
  releaseUnused(held: LeasedOperation, target: ServicePlan): Promise<boolean>;
  /** Starts, or puts to rest, the instances that are the instance's own. False: that goes on, come again. */
  startStop(held: LeasedOperation, plan: ServicePlan, kind: 'start' | 'stop'): Promise<boolean>;
}

/** Milliseconds between two looks at what is needed and still being made or removed. */
export const lookAgain = 200;
