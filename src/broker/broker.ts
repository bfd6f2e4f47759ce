import { exec, log } from './ask-units.ts';
import { bind } from './bind.ts';
import type { Catalog } from './catalog.ts';
import { type Checks, createChecks } from './checks.ts';
import type { Bind, Deprovision, Operate, Provision, Recreate, Unbind, Update } from './commands.ts';
import type { Core } from './core.ts';
import { deprovision } from './deprovision.ts';
import type { Deps } from './deps.ts';
import { createEngine } from './engine.ts';
import { createNeeds } from './meet-needs.ts';
import type { Outcome } from './outcome.ts';
import { operate } from './operate.ts';
import { createPlans } from './plans.ts';
import { provision } from './provision.ts';
import { recreate } from './recreate.ts';
import { readStatus } from './read-status.ts';
import { type LastOperation, readBinding, readInstance, readLastOperation } from './read.ts';
import type { ServiceBinding, ServiceInstance } from './records.ts';
import type { OperationQuery } from './store.ts';
import type { InstanceStatus } from './status.ts';
import { createOverview, type Overview } from './overview.ts';
import type { Executed, Execution, LogQuery, UnitLog } from './units.ts';
import { unbind } from './unbind.ts';
import { update } from './update.ts';
import { createWork, type BrokerWork } from './due-work.ts';

export type { Bind, Deprovision, Operate, Provision, Recreate, Unbind, Update } from './commands.ts';

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

  start(command: Operate): Promise<Outcome<ServiceInstance>>;
  stop(command: Operate): Promise<Outcome<ServiceInstance>>;
  restart(command: Operate): Promise<Outcome<ServiceInstance>>;
  /** Makes anew what was lost with its node. Refuses with conflict what was not. */
  recreate(command: Recreate): Promise<Outcome<ServiceInstance>>;
  /** How an instance and each of its units is. */
  status(instanceId: string): Promise<InstanceStatus>;
  /** Runs a command beside one unit or each; refuses with unsupported where the provisioner cannot. */
  exec(instanceId: string, execution: Execution): Promise<readonly Executed[]>;
  log(instanceId: string, query: LogQuery): Promise<readonly UnitLog[]>;
  readonly overview: Overview;
}

/** The core: every protocol speaks to the broker, one worker drives the work, another one the checks. */
export function createBroker(deps: Deps): { broker: Broker; work: BrokerWork; checks: Checks } {
  const planOf = createPlans(deps);
  const engine = createEngine({ ...deps, needs: createNeeds(() => core) }, planOf);
  const core: Core = { deps, engine, planOf };
  const broker: Broker = {
    catalog: () => deps.catalog(),
    provision: (command) => provision(core, command),
    update: (command) => update(core, command),
    deprovision: (command) => deprovision(core, command),
    bind: (command) => bind(core, command),
    unbind: (command) => unbind(core, command),
    instance: (instanceId) => readInstance(core, instanceId),
    binding: (instanceId, bindingId) => readBinding(core, instanceId, bindingId),
    lastOperation: (query) => readLastOperation(deps, query),
    start: (command) => operate(core, command, 'start'),
    stop: (command) => operate(core, command, 'stop'),
    restart: (command) => operate(core, command, 'restart'),
    recreate: (command) => recreate(core, command),
    status: (instanceId) => readStatus(core, instanceId),
    exec: (instanceId, execution) => exec(core, instanceId, execution),
    log: (instanceId, query) => log(core, instanceId, query),
    overview: createOverview(core),
  };
  return { broker, work: createWork(core), checks: createChecks(core) };
}
