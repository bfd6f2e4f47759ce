import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';
import { type ClusterCause, ClusterError } from '../cluster-error.ts';
import type { Answer } from './connection.ts';

/** For an answer that is not in the words of the API. */
const longestText = 300;
const longestMessage = 4000;

/** @param secrets what the server may have repeated, and must be in no message */
export function refusalOf(answer: Answer, secrets: readonly string[]): ClusterError {
  const status = statusIn(answer.text);
  const details = isObject(status['details']) ? status['details'] : {};
  const message = textOf(status['message']) || otherText(answer);
  return new ClusterError({
    status: answer.status,
    reason: textOf(status['reason']),
    message: hidden(message, secrets).slice(0, longestMessage),
    causes: causesIn(details, secrets),
    retryAfterMs: retryAfter(answer.retryAfter) ?? secondsIn(details['retryAfterSeconds']),
  });
}

/** What a server answers in place of an object; an empty object where it is none. */
export function statusIn(text: string): JsonObject {
  const value = jsonIn(text);
  return isObject(value) && value['kind'] === 'Status' ? value : {};
}

export function jsonIn(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // What the parser says quotes the text.
    return undefined;
  }
}

function causesIn(details: JsonObject, secrets: readonly string[]): readonly ClusterCause[] {
  const causes = Array.isArray(details['causes']) ? details['causes'].filter(isObject) : [];
  return causes.map((cause) => ({
    reason: textOf(cause['reason']),
    message: hidden(textOf(cause['message']), secrets).slice(0, longestMessage),
    field: textOf(cause['field']),
  }));
}

function otherText({ status, text }: Answer): string {
  const line = text.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();
  return line === ''
    ? `The server answers ${status}.`
    : `The server answers ${status}: ${line.slice(0, longestText)}`;
}

function hidden(message: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= 4)
    .reduce((text, secret) => text.replaceAll(secret, '[hidden]'), message);
}

/** In seconds, or as a date (RFC 9110, section 10.2.3). */
function retryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - Date.now());
}

function secondsIn(value: Json | undefined): number | undefined {
  return typeof value === 'number' && value > 0 ? value * 1000 : undefined;
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
