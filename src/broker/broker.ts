import { execInUnits, readUnitLogs } from './units/exec-and-log.ts';
import type { BackupsQuery } from './backups.ts';
import {
  deleteBackup,
  type ListedBackups,
  listBackups,
  type NamedBackup,
  nameBackup,
} from './backups/list-and-delete.ts';
import { restoreBackup } from './backups/restore.ts';
import { takeBackup } from './backups/take.ts';
import type { BindingsQuery } from './listing.ts';
import { type ListedBindings, listBindings } from './repair/list-bindings.ts';
import { bind } from './requests/bind.ts';
import type { Catalog } from './catalog.ts';
import { type UnitMonitor, createUnitMonitor } from './units/monitor.ts';
import type {
  Act,
  Adopt,
  BackUp,
  Bind,
  DeleteBackup,
  Deprovision,
  Exec,
  StartStop,
  ProtectInstance,
  Provision,
  PurgeBinding,
  PurgeInstance,
  ReadLog,
  Recreate,
  RemoveBinding,
  RemoveInstance,
  RepairOperation,
  RestoreBackup,
  Unbind,
  UndeleteInstance,
  Update,
  Upgrade,
} from './commands.ts';
import type { RequestContext } from './requests/context.ts';
import { type Dashboards, dashboardsOf } from './requests/dashboard.ts';
import { deprovision } from './requests/deprovision.ts';
import type { BrokerContext } from './context.ts';
import { createEngine } from './operations/engine.ts';
import { createDependencies } from './dependencies/acquire.ts';
import type { Outcome } from './outcome.ts';
import { startStop } from './requests/start-stop.ts';
import { createPlanOf } from './operations/plan-of.ts';
import { act } from './repair/act.ts';
import { adopt } from './repair/adopt.ts';
import { type ForceDeleted, forceDelete } from './repair/force-delete.ts';
import { cancelOperation } from './repair/cancel.ts';
import { findOrphans } from './repair/find-orphans.ts';
import { findMissing, type Missing } from './repair/find-missing.ts';
import { requireKnownOperation } from './repair/find-operation.ts';
import { retryOperation } from './repair/retry.ts';
import { protectInstance } from './repair/protect.ts';
import { purgeBinding, type Purged, purgeInstance } from './repair/purge.ts';
import { provision } from './requests/provision.ts';
import { recreate } from './requests/recreate.ts';
import { removeBinding } from './requests/remove-binding.ts';
import { removeInstance } from './repair/remove-instance.ts';
import { readStatus } from './units/read-status.ts';
import { type LastOperation, fetchBinding, fetchInstance, fetchLastOperation } from './requests/fetch.ts';
import { type OperationSummary, summarize } from './events.ts';
import type { Operation, ServiceBinding, ServiceInstance } from './records.ts';
import type { OperationQuery } from './store.ts';
import type { InstanceStatus } from './units/status.ts';
import { createOperatorView, type OperatorView } from './operator-view.ts';
import type { Executed, UnitLog } from './units.ts';
import { withoutKept } from './requests/kept.ts';
import { unbind } from './requests/unbind.ts';
import { undeleteInstance } from './repair/undelete.ts';
import { update } from './requests/update.ts';
import { upgrade } from './requests/upgrade.ts';
import { createOperationQueue, type OperationQueue } from './queue.ts';

export type {
  Bind,
  Deprovision,
  Exec,
  StartStop,
  Provision,
  ReadLog,
  Recreate,
  RemoveBinding,
  Unbind,
  Update,
  Upgrade,
} from './commands.ts';

export type { InstanceStatus } from './units/status.ts';
export type { UnitMonitor } from './units/monitor.ts';
export type { ForceDeleted } from './repair/force-delete.ts';
export type { NamedBackup } from './backups/list-and-delete.ts';
export type { NamedBinding } from './repair/list-bindings.ts';
export type { Purged } from './repair/purge.ts';
export type { LastOperation } from './requests/fetch.ts';

export { linkPurpose } from './requests/dashboard.ts';
export type { Dashboard, DashboardLink, LinkClaim, OwnedInstance } from './requests/dashboard.ts';

/** What every protocol speaks to. Refusals are thrown, outcomes returned; a failed synchronous operation throws Failure. */
export interface Broker extends Dashboards {
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

  start(command: StartStop): Promise<Outcome<ServiceInstance>>;
  stop(command: StartStop): Promise<Outcome<ServiceInstance>>;
  restart(command: StartStop): Promise<Outcome<ServiceInstance>>;
  /** Makes anew what was lost with its node. Refuses with conflict what was not. */
  recreate(command: Recreate): Promise<Outcome<ServiceInstance>>;
  /** Brings an instance to what its plan is now. Refuses with conflict when the plan is not in the catalog. */
  upgrade(command: Upgrade): Promise<Outcome<ServiceInstance>>;
  /** Removes a binding that its platform has forgotten. Refuses with not-found, and with conflict one that is needed. */
  removeBinding(command: RemoveBinding): Promise<Outcome<ServiceBinding>>;
  /** Deletes an instance that its platform has forgotten. Refuses with not-found, and with invalid one that is needed. */
  removeInstance(command: RemoveInstance): Promise<Outcome<ServiceInstance>>;
  /** Of all instances, page by page. Refuses with invalid an `after` that is not the `next` of a page. */
  bindings(query: BindingsQuery): Promise<ListedBindings>;
  /** Instances of which nothing is there, as far as this broker can see. */
  missing(): Promise<Missing>;
  /** Of any, in progress or ended. Refuses with not-found. */
  operation(operationId: string): Promise<OperationSummary>;
  /** Has it end as failed. Refuses with not-found, and with conflict when it has ended or failed. */
  cancelOperation(command: RepairOperation): Promise<Operation>;
  /** Asks once more for what has failed. Refuses with not-found, and with conflict when that cannot be. */
  retryOperation(command: RepairOperation): Promise<Outcome<ServiceInstance> | Outcome<ServiceBinding>>;
  /** Forgets an instance and removes nothing. Refuses with not-found, and with invalid one that is needed. */
  purgeInstance(command: PurgeInstance): Promise<Purged>;
  /** The same of a binding. Refuses with not-found, and with conflict one that is needed. */
  purgeBinding(command: PurgeBinding): Promise<Purged>;
  /** Refuses with not-found, with busy while it is being deleted, and with invalid what goes with another one. */
  protectInstance(command: ProtectInstance): Promise<void>;
  /** Refuses with not-found, with busy while it is being removed, and with conflict what was not deleted. */
  undeleteInstance(command: UndeleteInstance): Promise<Outcome<ServiceInstance>>;
  /** Removes what can be removed of an instance and forgets the rest. Refuses as `removeInstance`, and with busy. */
  forceDelete(command: RemoveInstance): Promise<ForceDeleted>;
  /** Saves what an instance holds. Refuses with unsupported where its offering does not say how. */
  backUp(command: BackUp): Promise<Saving>;
  /** Of all instances, page by page. Refuses with invalid an `after` that is not the `next` of a page. */
  listBackups(query: BackupsQuery): Promise<ListedBackups>;
  /** Puts what was saved in place of what an instance holds. Refuses as `backUp`, and with invalid for another offering. */
  restoreBackup(command: RestoreBackup): Promise<Outcome<ServiceInstance>>;
  /** Refuses with not-found. */
  deleteBackup(command: DeleteBackup): Promise<void>;
  /** Does what its offering declares. Refuses with not-found an action that its plan does not have. */
  act(command: Act): Promise<Outcome<ServiceInstance>>;
  /** Makes an instance of what exists. Refuses with conflict what is of another instance. */
  adopt(command: Adopt): Promise<Outcome<ServiceInstance>>;
  /** How an instance and each of its units is. */
  status(instanceId: string): Promise<InstanceStatus>;
  /** Runs a command beside one unit or each; refuses with unsupported where the provisioner cannot. */
  exec(command: Exec): Promise<readonly Executed[]>;
  log(command: ReadLog): Promise<readonly UnitLog[]>;
  readonly overview: OperatorView;
}

/** A backup that is done, or the operation that makes it. */
export interface Saving {
  readonly outcome: Outcome<ServiceInstance>;
  readonly backup?: NamedBackup | undefined;
}

/** The core: every protocol speaks to the broker, one worker drives the work, another one the checks. */
export function createBroker(context: BrokerContext): {
  broker: Broker;
  work: OperationQueue;
  checks: UnitMonitor;
  /** Looks for what nobody owns; never rejects. */
  lookAround: () => Promise<void>;
} {
  const planOf = createPlanOf(context);
  const engine = createEngine({ ...context, dependencies: createDependencies(() => core) }, planOf);
  const { store: books } = context;
  const core: RequestContext = { ...context, store: withoutKept(books), books, engine, planOf };
  const broker: Broker = {
    catalog: () => core.catalog(),
    provision: (command) => provision(core, command),
    update: (command) => update(core, command),
    deprovision: (command) => deprovision(core, command),
    bind: (command) => bind(core, command),
    unbind: (command) => unbind(core, command),
    instance: (instanceId) => fetchInstance(core, instanceId),
    binding: (instanceId, bindingId) => fetchBinding(core, instanceId, bindingId),
    ...dashboardsOf(core),
    lastOperation: (query) => fetchLastOperation(core, query),
    start: (command) => startStop(core, command, 'start'),
    stop: (command) => startStop(core, command, 'stop'),
    restart: (command) => startStop(core, command, 'restart'),
    recreate: (command) => recreate(core, command),
    upgrade: (command) => upgrade(core, command),
    removeBinding: (command) => removeBinding(core, command),
    removeInstance: (command) => removeInstance(core, command),
    bindings: (query) => listBindings(core, query),
    missing: () => findMissing(core),
    operation: async (operationId) => summarize(await requireKnownOperation(core, operationId)),
    cancelOperation: (command) => cancelOperation(core, command),
    retryOperation: (command) => retryOperation(core, command),
    ...repairsThrough(core),
    act: (command) => act(core, command),
    adopt: (command) => adopt(core, command),
    ...backupsThrough(core),
    status: (instanceId) => readStatus(core, instanceId),
    exec: (command) => execInUnits(core, command),
    log: (command) => readUnitLogs(core, command),
    overview: createOperatorView(core),
  };
  return {
    broker,
    work: createOperationQueue(core),
    checks: createUnitMonitor(core),
    lookAround: () => findOrphans(core),
  };
}

function repairsThrough(
  core: RequestContext,
): Pick<Broker, 'purgeInstance' | 'purgeBinding' | 'protectInstance' | 'undeleteInstance' | 'forceDelete'> {
  return {
    purgeInstance: (command) => purgeInstance(core, command),
    purgeBinding: (command) => purgeBinding(core, command),
    protectInstance: (command) => protectInstance(core, command),
    undeleteInstance: (command) => undeleteInstance(core, command),
    forceDelete: (command) => forceDelete(core, command),
  };
}

function backupsThrough(
  core: RequestContext,
): Pick<Broker, 'backUp' | 'listBackups' | 'restoreBackup' | 'deleteBackup'> {
  return {
    async backUp(command) {
      const { outcome, backup } = await takeBackup(core, command);
      return { outcome, backup: backup && nameBackup(core, backup) };
    },
    listBackups: (query) => listBackups(core, query),
    restoreBackup: (command) => restoreBackup(core, command),
    deleteBackup: (command) => deleteBackup(core, command),
  };
}
