import type { LastOperation } from '../../broker/broker.ts';
import { Refusal } from '../../broker/errors.ts';
import type { Outcome } from '../../broker/outcome.ts';
import {
  isPlatformKind,
  type Operation,
  type OperationKind,
  type PlatformKind,
  type ServiceBinding,
  type ServiceInstance,
} from '../../broker/records.ts';
import type { Reply } from '../protocol.ts';

/** What an outcome is on the wire; only deleting can meet something absent. Undefined members are left out. */
const statuses = {
  provision: { done: 201, unchanged: 200, accepted: 202, absent: 404 },
  update: { done: 200, unchanged: 200, accepted: 202, absent: 404 },
  bind: { done: 201, unchanged: 200, accepted: 202, absent: 404 },
  deprovision: { done: 200, unchanged: 200, accepted: 202, absent: 410 },
  unbind: { done: 200, unchanged: 200, accepted: 202, absent: 410 },
} satisfies Record<PlatformKind, Record<Outcome<unknown>['is'], number>>;

export function madeInstanceReply(kind: 'provision' | 'update', outcome: Outcome<ServiceInstance>): Reply {
  const status = statuses[kind][outcome.is];
  if (outcome.is === 'absent') return { status, body: {} };
  // A dashboard must be known from the first answer on (spec.md, Provisioning, Body).
  const shown = outcome.record && showInstance(outcome.record);
  return { status, body: { ...operationOf(outcome), ...shown } };
}

export function madeBindingReply(outcome: Outcome<ServiceBinding>): Reply {
  const status = statuses.bind[outcome.is];
  const made = outcome.is === 'done' || outcome.is === 'unchanged';
  // Nothing of the binding may stand in a 202 (spec.md, Binding, Response).
  return { status, body: made ? showBinding(outcome.record) : operationOf(outcome) };
}

export function removedReply(kind: 'deprovision' | 'unbind', outcome: Outcome<unknown>): Reply {
  return { status: statuses[kind][outcome.is], body: operationOf(outcome) };
}

function operationOf(outcome: Outcome<unknown>): { readonly operation?: string } {
  return outcome.is === 'accepted' ? { operation: outcome.operation.id } : {};
}

/** Parameters are given even when there are none: absent would say that they cannot be told. */
export function instanceReply(instance: ServiceInstance): Reply {
  const { offeringId, planId, maintenanceVersion: version, confidential } = instance;
  const body = {
    service_id: offeringId,
    plan_id: planId,
    ...showInstance(instance),
    parameters: confidential.parameters,
    maintenance_info: version === undefined ? undefined : { version },
  };
  return { status: 200, body };
}

export function bindingReply(binding: ServiceBinding): Reply {
  return { status: 200, body: { ...showBinding(binding), parameters: binding.confidential.parameters } };
}

function showInstance({ confidential, metadata }: ServiceInstance): object {
  return { dashboard_url: confidential.dashboardUrl, metadata };
}

function showBinding({ confidential: { answer }, expiresAt, renewBefore }: ServiceBinding): object {
  const metadata = {
    expires_at: expiresAt && showTime(expiresAt),
    renew_before: renewBefore && showTime(renewBefore),
  };
  return {
    metadata: expiresAt || renewBefore ? metadata : undefined,
    credentials: answer.credentials,
    syslog_drain_url: answer.syslogDrainUrl,
    route_service_url: answer.routeServiceUrl,
    volume_mounts: answer.volumeMounts,
    endpoints: answer.endpoints,
  };
}

/** yyyy-mm-ddThh:mm:ss.sZ: one digit after the point. */
function showTime(time: Date): string {
  return `${time.toISOString().slice(0, 21)}Z`;
}

/** 404 is for what never was, 410 for what was deleted (spec.md, Polling Last Operation). */
export function lastOperationReply(found: LastOperation): Reply {
  if (found === 'gone') return { status: 410, body: {} };
  if (found === 'absent')
    throw new Refusal('not-found', 'There is no service instance or binding with this id.');
  const { operation } = found;
  const { state, kind, failure } = operation;
  if (!isPlatformKind(kind))
    throw new Refusal('not-found', 'There is no operation of a platform with this id.');
  const failed = state === 'failed';
  return {
    status: 200,
    headers: state === 'in progress' ? { 'Retry-After': pollAgainIn(operation) } : undefined,
    body: {
      state,
      description: failed
        ? failure?.sentence || fallbackDescription(kind, state)
        : progressOf(operation, fallbackDescription(kind, state)),
      instance_usable: failed && flagged.instanceUsable.includes(kind) ? failure?.instanceUsable : undefined,
      update_repeatable: failed && kind === 'update' ? failure?.updateRepeatable : undefined,
    },
  };
}

/** What went wrong is the operator's to know; that something did explains why it takes so long. */
function progressOf({ state, note, failures, failure }: Operation, otherwise: string): string {
  if (state !== 'in progress') return note || otherwise;
  if (failure) return 'It did not work, and what was begun is being undone.';
  const again = failures > 0 ? ' The last try did not work; it is being tried again.' : '';
  return `${note || otherwise}${again}`;
}

const flagged = { instanceUsable: ['update', 'deprovision'] as readonly OperationKind[] };

/** Seconds: quick things are soon known, slow ones are not asked for all the time. */
function pollAgainIn({ createdAt }: Operation): string {
  return Date.now() - createdAt.getTime() < 60_000 ? '1' : '10';
}

const nouns: Readonly<Record<PlatformKind, string>> = {
  provision: 'Provisioning the service instance',
  update: 'Updating the service instance',
  deprovision: 'Deprovisioning the service instance',
  bind: 'Creating the service binding',
  unbind: 'Removing the service binding',
};

/** The description must not be empty (spec.md, Polling Last Operation for Service Instances, Body). */
function fallbackDescription(kind: PlatformKind, state: Operation['state']): string {
  return state === 'in progress' ? `${nouns[kind]} is in progress.` : `${nouns[kind]} has ${state}.`;
}
