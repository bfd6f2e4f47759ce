import { isObject, type Json } from '../../broker/json.ts';
import type { Origin } from '../../broker/records.ts';
import type { Call } from '../protocol.ts';
import { readIdentity } from './identity.ts';

/**
 * Does a Cloud Controller read the answer? It loses the sentence of a binding that failed after a 202, and takes a 202
 * to an unbind before a deletion for an error; no other platform does. It names its own API in every request; what is
 * proxied, by Service Manager for one, keeps that header. Older ones are known by what they say of themselves.
 * @param platform of the request's context: who speaks for another platform's user says so there
 */
export function isCloudFoundry({ headers }: Call, { identity }: Origin, platform?: Json): boolean {
  if (headers['x-api-info-location'] !== undefined) return true;
  if (typeof platform === 'string') return platform === 'cloudfoundry';
  return isObject(identity) && identity['platform'] === 'cloudfoundry';
}

/** The same of a call that has not been read, or could not be. */
export function isOfCloudFoundry(call: Call): boolean {
  const { body, headers } = call;
  const identity = readIdentity(headers['x-broker-api-originating-identity'], () => undefined);
  const context = isObject(body) ? body['context'] : undefined;
  return isCloudFoundry(
    call,
    { protocol: 'osb', identity },
    isObject(context) ? context['platform'] : undefined,
  );
}
