import type { ServicePlan } from './catalog.ts';
import type { Deps } from './deps.ts';
import type { Engine } from './engine.ts';
import type { MadeFrom } from './plans.ts';

/** What the use cases share. */
export interface Core {
  readonly deps: Deps;
  readonly engine: Engine;
  /** The plan that an instance was made from, also when it has left the catalog. */
  readonly planOf: (instance: MadeFrom) => Promise<ServicePlan>;
}
