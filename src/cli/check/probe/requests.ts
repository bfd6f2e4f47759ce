import { jsonOf, type Json, type JsonObject } from '../../../broker/json.ts';
import type { Probe } from './probe.ts';
import type { WireRequest } from './wire.ts';

/** Requests as a platform makes them; a member of undefined in `changes` is left out. */
type Changes = Readonly<Record<string, Json | undefined>>;
type Query = Readonly<Record<string, string | undefined>>;

export const incomplete: Query = { accepts_incomplete: 'true' };

const organization = 'conformance-organization';
const space = 'conformance-space';

export function instancePath(id: string): string {
  return `/v2/service_instances/${id}`;
}

export function bindingPath(instance: string, id: string): string {
  return `${instance}/service_bindings/${id}`;
}

/** @param path of the instance */
export function provisionRequest(
  probe: Probe,
  path: string,
  changes: Changes = {},
  query: Query = incomplete,
): WireRequest {
  return { method: 'PUT', path, query, body: provisionBody(probe, changes) };
}

export function provisionBody({ market, parameters }: Probe, changes: Changes = {}): JsonObject {
  return jsonOf({
    service_id: market.serviceId,
    plan_id: market.planId,
    organization_guid: organization,
    space_guid: space,
    context: { platform: 'cloudfoundry', organization_guid: organization, space_guid: space },
    parameters,
    ...changes,
  });
}

/** @param path of the binding */
export function bindRequest(
  probe: Probe,
  path: string,
  changes: Changes = {},
  query: Query = incomplete,
): WireRequest {
  return { method: 'PUT', path, query, body: bindBody(probe, changes) };
}

/** With an application, as most binds are. */
export function bindBody({ market }: Probe, changes: Changes = {}): JsonObject {
  const app = 'conformance-application';
  return jsonOf({
    service_id: market.serviceId,
    plan_id: market.planId,
    app_guid: app,
    bind_resource: { app_guid: app },
    context: { platform: 'cloudfoundry', organization_guid: organization, space_guid: space },
    ...changes,
  });
}

/** A binding that takes over from another one. @param path of the new binding @param predecessor path of the old one */
export function rotateRequest(
  probe: Probe,
  path: string,
  predecessor: string,
  changes: Changes = {},
  query: Query = incomplete,
): WireRequest {
  const { market } = probe;
  const body = {
    service_id: market.serviceId,
    plan_id: market.planId,
    predecessor_binding_id: idOf(predecessor),
    ...changes,
  };
  return { method: 'PUT', path, query, body: jsonOf(body) };
}

/** The last part of a path. */
export function idOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** @param path of the instance */
export function updateRequest(
  { market }: Probe,
  path: string,
  changes: Changes = {},
  query: Query = incomplete,
): WireRequest {
  return { method: 'PATCH', path, query, body: jsonOf({ service_id: market.serviceId, ...changes }) };
}

/** @param path of the instance or binding */
export function deleteRequest({ market }: Probe, path: string, changes: Query = incomplete): WireRequest {
  return {
    method: 'DELETE',
    path,
    query: { service_id: market.serviceId, plan_id: market.planId, ...changes },
  };
}
