import { bind } from './bind.ts';
import type { Catalog } from './catalog.ts';
import type { Bind, Deprovision, Provision, Unbind, Update } from './commands.ts';
import type { Core } from './core.ts';
import { deprovision } from './deprovision.ts';
import type { Deps } from './deps.ts';
import { createEngine } from './engine.ts';
import type { Outcome } from './outcome.ts';
import { createPlans } from './plans.ts';
import { provision } from './provision.ts';
import { type LastOperation, readBinding, readInstance, readLastOperation } from './read.ts';
import type { ServiceBinding, ServiceInstance } from './records.ts';
import type { OperationQuery } from './store.ts';
import { unbind } from './unbind.ts';
import { update } from './update.ts';
import { createWork, type BrokerWork } from './due-work.ts';

export type { Bind, Deprovision, Provision, Unbind, Update } from './commands.ts';

export type { LastOperation } from './read.ts';

/** What every protocol speaks to. Refusals are thrown, outcomes returned; a failed synchronous operation throws Failure. */
export interface Broker {
  catalog(): Catalog;
  provision(command: Provision): Promise<Outcome<ServiceInstance>>;
  update(command: Update): Promise<Outcome<ServiceInstance>>;
  deprovision(command: Deprovision): Promise<Outcome<ServiceInstance>>;
  bind(command: Bind): Promise<Outcome<ServiceBinding>>;
  unbind(command: Unbind): Promise<Outcome<ServiceBinding>>;
  /** Refuses with not-found while it is being made, with busy while it is being updated. */
  instance(instanceId: string): Promise<ServiceInstance>;
  binding(instanceId: string, bindingId: string): Promise<ServiceBinding>;
  lastOperation(query: OperationQuery): Promise<LastOperation>;
}

/** The core: every protocol speaks to the broker, a worker drives the work. */
export function createBroker(deps: Deps): { broker: Broker; work: BrokerWork } {
  const planOf = createPlans(deps);
  const engine = createEngine(deps, planOf);
  const core: Core = { deps, engine, planOf };
  const broker: Broker = {
    catalog: () => deps.catalog(),
    provision: (command) => provision(core, command),
    update: (command) => update(core, command),
    deprovision: (command) => deprovision(core, command),
    bind: (command) => bind(core, command),
    unbind: (command) => unbind(core, command),
    instance: (instanceId) => readInstance(deps, instanceId),
    binding: (instanceId, bindingId) => readBinding(deps, instanceId, bindingId),
    lastOperation: (query) => readLastOperation(deps, query),
  };
  return { broker, work: createWork(core) };
}
