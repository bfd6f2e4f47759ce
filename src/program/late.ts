import type { Broker } from '../broker/broker.ts';
import type { AuthorityOffice } from '../broker/nodes.ts';
import type { OperatorView } from '../broker/operator-view.ts';
import type { UpgradeOffice } from '../broker/upgrades.ts';
import type { WebhookOffice } from '../broker/webhooks.ts';

/**
 * Stands for a broker that is not there yet, so that protocols can be given it already. Each method finds the real one
 * when it is called, or throws what `find` throws.
 */
export function lateBroker(find: () => Broker): Broker {
  return {
    catalog: () => find().catalog(),
    provision: (command) => find().provision(command),
    update: (command) => find().update(command),
    deprovision: (command) => find().deprovision(command),
    bind: (command) => find().bind(command),
    unbind: (command) => find().unbind(command),
    instance: (instanceId) => find().instance(instanceId),
    binding: (instanceId, bindingId) => find().binding(instanceId, bindingId),
    dashboard: (instanceId) => find().dashboard(instanceId),
    lastOperation: (query) => find().lastOperation(query),
    start: (command) => find().start(command),
    stop: (command) => find().stop(command),
    restart: (command) => find().restart(command),
    recreate: (command) => find().recreate(command),
    upgrade: (command) => find().upgrade(command),
    removeBinding: (command) => find().removeBinding(command),
    removeInstance: (command) => find().removeInstance(command),
    bindings: (query) => find().bindings(query),
    missing: () => find().missing(),
    operation: (operationId) => find().operation(operationId),
    cancelOperation: (command) => find().cancelOperation(command),
    retryOperation: (command) => find().retryOperation(command),
    purgeInstance: (command) => find().purgeInstance(command),
    purgeBinding: (command) => find().purgeBinding(command),
    forceDelete: (command) => find().forceDelete(command),
    backUp: (command) => find().backUp(command),
    listBackups: (query) => find().listBackups(query),
    restoreBackup: (command) => find().restoreBackup(command),
    deleteBackup: (command) => find().deleteBackup(command),
    status: (instanceId) => find().status(instanceId),
    exec: (command) => find().exec(command),
    log: (command) => find().log(command),
    overview: lateOverview(() => find().overview),
  };
}

/** As `lateBroker`. */
export function lateAuthorities(find: () => AuthorityOffice): AuthorityOffice {
  return {
    list: () => find().list(),
    renew: (command) => find().renew(command),
  };
}

/** As `lateBroker`. */
export function lateUpgrades(find: () => UpgradeOffice): UpgradeOffice {
  return {
    list: (limit) => find().list(limit),
    find: (runId) => find().find(runId),
    items: (query) => find().items(query),
    start: (command) => find().start(command),
    change: (command) => find().change(command),
  };
}

/** As `lateBroker`. */
export function lateWebhooks(find: () => WebhookOffice): WebhookOffice {
  return {
    list: () => find().list(),
    dead: (receiver, limit) => find().dead(receiver, limit),
    retry: (command) => find().retry(command),
  };
}

function lateOverview(find: () => OperatorView): OperatorView {
  return {
    nodes: () => find().nodes(),
    drain: (command) => find().drain(command),
    forget: (command) => find().forget(command),
    instancePage: (query) => find().instancePage(query),
    operations: (query) => find().operations(query),
    instances: (query) => find().instances(query),
    instance: (instanceId) => find().instance(instanceId),
    plan: (instance) => find().plan(instance),
    offerings: () => find().offerings(),
    quotas: () => find().quotas(),
    orphans: () => find().orphans(),
    removeOrphan: (command) => find().removeOrphan(command),
    audit: (query) => find().audit(query),
  };
}
