import type { Bind, Deprovision, Provision, Unbind, Update } from '../../broker/broker.ts';
import { idOfPlatform } from '../../broker/key.ts';
import { Refusal } from '../../broker/errors.ts';
import type { JsonObject } from '../../broker/json.ts';
import type { Origin } from '../../broker/records.ts';
import type { OperationQuery } from '../../broker/store.ts';
import type { Call } from '../protocol.ts';
import { readIds, requireFindable, requireFindableInstance, requireId, requireInstanceId } from './ids.ts';
import { isCloudFoundry } from './platform.ts';
import { readAcceptsIncomplete, requireQueryText } from './query.ts';
import {
  requireBindBody,
  requireProvisionBody,
  requireUpdateBody,
  type BindBody,
  type UpdateBody,
} from './shapes.ts';
import { isText } from './storable.ts';

/** Every reader gives the core's command, or refuses with a sentence that names the field. */
export function readProvision(call: Call, origin: Origin): Provision {
  const instanceId = requireInstanceId(call);
  const body = requireProvisionBody(call.body);
  return {
    instanceId,
    ...readWay(call, true),
    origin,
    offeringId: body.service_id,
    planId: body.plan_id,
    organizationGuid: body.organization_guid,
    spaceGuid: body.space_guid,
    parameters: body.parameters ?? {},
    context: body.context ?? {},
    maintenanceVersion: body.maintenance_info?.version,
  };
}

export function readUpdate(call: Call, origin: Origin): Update {
  const instanceId = requireFindableInstance(call);
  const body = requireUpdateBody(call.body);
  return {
    instanceId,
    ...readWay(call, true),
    origin,
    offeringId: body.service_id,
    planId: body.plan_id,
    ...readPrevious(body.previous_values),
    parameters: body.parameters ?? {},
    context: body.context,
    maintenanceVersion: body.maintenance_info?.version,
    ...(namesOnlyPlan(body) ? { upgrade: true } : {}),
  };
}

/**
 * Platforms name the plan in whatever they ask: with parameters in a change of these, with a context in a rename. With
 * nothing beside it, it can only mean to have this plan as it is now.
 */
function namesOnlyPlan({
  plan_id: planId,
  parameters,
  context,
  maintenance_info: info,
}: UpdateBody): boolean {
  return planId !== undefined && [parameters, context, info].every((member) => member === undefined);
}

export function readDeprovision(call: Call, origin: Origin): Deprovision {
  return {
    instanceId: idOfPlatform(call.platform, readIds(call).instanceId),
    ...readWay(call, true),
    origin,
    offeringId: requireQueryText(call.query, 'service_id'),
    planId: requireQueryText(call.query, 'plan_id'),
  };
}

export function readBind(call: Call, origin: Origin): Bind {
  const instanceId = requireInstanceId(call);
  const bindingId = requireId(readIds(call).bindingId, 'binding_id');
  const body = requireBindBody(call.body);
  const isForCloudFoundry = isCloudFoundry(call, origin, body.context?.['platform']);
  return {
    instanceId,
    bindingId,
    ...readWay(call, !isForCloudFoundry),
    reader: isForCloudFoundry && call.platform === undefined ? readerIn(body) : undefined,
    origin,
    offeringId: body.service_id,
    planId: body.plan_id,
    parameters: body.parameters ?? {},
    context: body.context ?? {},
    appGuid: readApp(body),
    route: body.bind_resource?.route || undefined,
    predecessorId: body.predecessor_binding_id,
  };
}

function readPrevious(values: JsonObject | undefined): Pick<Update, 'previousPlanId'> {
  const planId = values?.['plan_id'];
  return typeof planId === 'string' ? { previousPlanId: planId } : {};
}

/** How it may be answered, if at all: a failure is told later only to those who can be told anything later. */
function readWay(
  { query, isGone }: Call,
  failsLater: boolean,
): Pick<Provision, 'acceptsIncomplete' | 'failsLater' | 'isGone'> {
  const acceptsIncomplete = readAcceptsIncomplete(query);
  return { acceptsIncomplete, failsLater: acceptsIncomplete && failsLater ? true : undefined, isGone };
}

/** Platforms name the application in either place, or in both; Korifi sends an empty text for none. */
function readApp({ app_guid: outer, bind_resource: resource }: BindBody): string | undefined {
  const inner = resource?.app_guid;
  if (outer && inner && outer !== inner) {
    throw new Refusal('invalid', 'app_guid and bind_resource.app_guid name different apps.', 'app_guid');
  }
  return outer || inner || undefined;
}

/** Who reads its credentials in CredHub, as that calls it: the app; of a service key Cloud Controller, for its users. */
function readerIn(body: BindBody): string | undefined {
  const app = readApp(body);
  const client = body.bind_resource?.credential_client_id || undefined;
  if (app !== undefined) return `mtls-app:${app}`;
  return client && `uaa-client:${client}`;
}

export function readUnbind(call: Call, origin: Origin): Unbind {
  const { failsLater, ...removal } = readDeprovision(call, origin);
  const later = failsLater && !isCloudFoundry(call, origin) ? { failsLater } : {};
  return { ...removal, ...later, bindingId: readIds(call).bindingId };
}

export function readLastOperation(call: Call): OperationQuery {
  const { bindingId } = readIds(call);
  const instanceId = requireFindableInstance(call);
  if (bindingId !== '') requireFindable(bindingId, 'binding');
  const operationId = call.query.get('operation') || undefined;
  if (operationId !== undefined && !isText(operationId)) {
    throw new Refusal('not-found', 'There is no such operation.', 'operation');
  }
  return { instanceId, bindingId: bindingId || undefined, operationId };
}
