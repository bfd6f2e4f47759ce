import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';
import { requireThat } from './findings.ts';
import type { WireAnswer } from './wire.ts';

/**
 * What a binding gives has its types, and is what its service may give.
 * @param told of the binding, by whatever answer
 * @param requires of the service: what it may give besides credentials
 * @param answer to the bind, to be shown
 * @throws Shortcoming
 */
export function requireBindingMembers(told: JsonObject, requires: readonly Json[], answer: WireAnswer): void {
  const require = (holds: boolean, what: string) => requireThat(holds, `A binding has ${what}.`, answer);
  const { credentials, volume_mounts: mounts, endpoints, metadata } = told;
  require(credentials === undefined || isObject(credentials), 'credentials that are no object');
  for (const name of ['syslog_drain_url', 'route_service_url'])
    require(['undefined', 'string'].includes(typeof told[name]), `a ${name} that is no text`);
  require(mounts === undefined || Array.isArray(mounts), 'volume_mounts that are no array');
  require(endpoints === undefined ||
    (Array.isArray(endpoints) && endpoints.every(isEndpoint)), 'endpoints without a host and ports as texts');
  require(metadata === undefined || (isObject(metadata) && areTimes(metadata)), timesSentence);
  for (const [name, permission] of Object.entries(permissionFor))
    require(isEmpty(told[name]) ||
      requires.includes(permission), `a ${name}, and its service does not require ${permission}`);
}

const permissionFor: Readonly<Record<string, string>> = {
  syslog_drain_url: 'syslog_drain',
  route_service_url: 'route_forwarding',
  volume_mounts: 'volume_mount',
};

function isEmpty(value: Json | undefined): boolean {
  return value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
}

function isEndpoint(one: Json): boolean {
  if (!isObject(one)) return false;
  const { host, ports } = one;
  return (
    typeof host === 'string' &&
    Array.isArray(ports) &&
    ports.length > 0 &&
    ports.every((port) => typeof port === 'string')
  );
}

const timesSentence =
  'an expires_at or renew_before that is no time as 2026-01-31T23:59:59.0Z, or is to be renewed after it expires';

function areTimes({ expires_at: end, renew_before: renew }: JsonObject): boolean {
  const isTime = (value: Json | undefined) =>
    value === undefined ||
    (typeof value === 'string' &&
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$/.test(value) &&
      Number.isFinite(Date.parse(value)));
  if (!isTime(end) || !isTime(renew)) return false;
  return typeof end !== 'string' || typeof renew !== 'string' || Date.parse(renew) <= Date.parse(end);
}
