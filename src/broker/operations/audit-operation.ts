import { type AuditEntry, auditEntry, type AuditObject } from '../audit.ts';
import type { BrokerContext } from '../context.ts';
import { type JsonObject, jsonOf } from '../json.ts';
import type { Operation, ServiceBinding, ServiceInstance } from '../records.ts';
import { recordIn } from '../store.ts';
import type { Intent } from './intent.ts';

/**
 * What an operation is, for the audit trail: the names of plans and of parameters. No value of a parameter is told,
 * since it may be a secret whatever the schema says of it.
 */
export function auditOperation(
  core: BrokerContext,
  intent: Intent,
  { id, kind, instanceId, bindingId, origin, state }: Operation,
): AuditEntry {
  const object: AuditObject =
    bindingId === undefined
      ? { kind: 'instance', instanceId }
      : { kind: 'binding', instanceId, id: bindingId };
  const outcome = state === 'succeeded' ? state : undefined;
  return auditEntry(core, origin, { id, verb: kind, object, outcome, ...changeOf(core, intent) });
}

function changeOf(core: BrokerContext, intent: Intent): Pick<AuditEntry, 'before' | 'after'> {
  const { operation, instance } = intent;
  const record = recordIn(instance);
  const binding = intent.binding && recordIn(intent.binding);
  switch (operation.kind) {
    case 'provision':
      return { after: outlineOf(core, intent, record) };
    case 'update':
      return {
        before: outlineOf(core, intent, record),
        after: outlineOf(core, intent, operation.confidential.target ?? record),
      };
    case 'deprovision':
      return {
        before: outlineOf(core, intent, record),
        after: removalOf(operation),
      };
    case 'bind':
      return { after: outlineOfBinding(binding) };
    case 'unbind':
      return { before: outlineOfBinding(binding) };
    case 'start':
    case 'stop':
    case 'restart':
      return unitsOf(operation, record);
    case 'backup':
      return {};
    case 'restore':
      return { after: jsonOf({ backup: operation.confidential.backup?.id }) };
    case 'adopt':
      return {
        after: jsonOf({ thing: operation.confidential.asked?.['thing'], ...outlineOf(core, intent, record) }),
      };
    case 'action':
      return {
        after: jsonOf({ action: operation.action, parameters: namesIn(operation.confidential.asked ?? {}) }),
      };
  }
}

function removalOf({ confidential: { force, keep } }: Operation): JsonObject | undefined {
  if (keep !== undefined) return { kept_ms: keep };
  return force ? { force: true } : undefined;
}

function outlineOf(
  core: BrokerContext,
  { plan }: Intent,
  { planId, maintenanceVersion, organizationGuid, spaceGuid, confidential }: ServiceInstance,
): JsonObject {
  const plans = [plan, ...core.catalog().offerings.flatMap((offering) => offering.plans)];
  return jsonOf({
    offering: plan.offeringName,
    plan: plans.find(({ id }) => id === planId)?.name ?? planId,
    plan_id: planId,
    maintenance_version: maintenanceVersion,
    organization_guid: organizationGuid,
    space_guid: spaceGuid,
    parameters: namesIn(confidential.parameters),
  });
}

function outlineOfBinding(binding: ServiceBinding | undefined): JsonObject | undefined {
  if (!binding) return undefined;
  const { appGuid, predecessorId, dependent, confidential } = binding;
  return jsonOf({
    app_guid: appGuid,
    predecessor_binding_id: predecessorId,
    needed_by: dependent,
    parameters: namesIn(confidential.parameters),
  });
}

function unitsOf(
  { confidential, kind }: Operation,
  { stopped = false }: ServiceInstance,
): Pick<AuditEntry, 'before' | 'after'> {
  const { units } = confidential;
  const before = { stopped };
  if (units) return { before, after: { units: [...units] } };
  return { before, after: { stopped: kind === 'stop' } };
}

const mostNames = 100;
const longestName = 100;

function namesIn(parameters: JsonObject): readonly string[] {
  return Object.keys(parameters)
    .slice(0, mostNames)
    .map((name) => name.slice(0, longestName).replaceAll('\u0000', '').toWellFormed());
}
