import type { ServicePlan } from '../catalog.ts';
import type { BrokerContext } from '../context.ts';
import type { Engine } from '../operations/engine.ts';
import type { MadeFrom } from '../operations/plan-of.ts';

/** What the use cases share. */
export interface RequestContext extends BrokerContext {
  readonly engine: Engine;
  /** The store with what was deleted and is kept, of which `store` says that it is not there. */
  readonly books: BrokerContext['store'];
  /** The plan that an instance was made from, also when it has left the catalog. */
  readonly planOf: (instance: MadeFrom) => Promise<ServicePlan>;
}
