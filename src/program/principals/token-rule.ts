import type { JSONWebKeySet } from 'jose';
import { isObject } from '../../broker/json.ts';
import { positionIn } from '../../broker/template.ts';
import { type Finding, mistake } from '../../catalog/problem.ts';
import { isLoopback } from '../../config/loopback.ts';
import { requireKeys } from './fields.ts';

/** Which tokens are somebody's. */
export interface TokenRule {
  readonly issuer: string;
  readonly audience: string;
  /** The keys of the issuer, or where they are had. */
  readonly keys: URL | JSONWebKeySet;
  /** What else a token must say; of a list, that this is in it. */
  readonly claims: Readonly<Record<string, string>>;
}

/** Undefined where none is said, or it is wrong. */
export function tokenIn(
  { jwt }: Readonly<Record<string, unknown>>,
  at: string,
  found: Finding[],
): TokenRule | undefined {
  if (jwt === undefined) return undefined;
  const place = positionIn(at, 'jwt');
  if (!isObject(jwt)) return void found.push(mistake(place, 'This must be an object.'));
  requireKeys(jwt, place, ['issuer', 'audience', 'jwks', 'subject', 'claims'], found);
  const { subject, claims = {} } = jwt;
  const issuer = textIn(jwt, 'issuer', place, found);
  const audience = textIn(jwt, 'audience', place, found);
  const keys = keysOf(jwt['jwks'], positionIn(place, 'jwks'), found);
  const wanted = subject === undefined ? claims : { ...asObject(claims), sub: subject };
  if (!isObject(wanted) || !isObject(claims) || Object.values(wanted).some((one) => !isText(one)))
    return void found.push(
      mistake(place, 'subject must be a text, and claims an object whose members are texts.'),
    );
  return keys && { issuer, audience, keys, claims: wanted as Readonly<Record<string, string>> };
}

function asObject(value: unknown): object {
  return isObject(value) ? value : {};
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function textIn(
  value: Readonly<Record<string, unknown>>,
  name: string,
  at: string,
  found: Finding[],
): string {
  const text = value[name];
  if (isText(text)) return text;
  found.push(mistake(positionIn(at, name), 'This must be a text.'));
  return '';
}

/** Whoever answers in place of the issuer chooses who is let in: so it is asked by TLS. */
function keysOf(value: unknown, at: string, found: Finding[]): TokenRule['keys'] | undefined {
  if (isObject(value) && Array.isArray(value['keys']) && value['keys'].every(isObject))
    return value as unknown as JSONWebKeySet;
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  const isSafe = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  if (url && isSafe && url.username === '' && url.password === '') return url;
  found.push(
    mistake(at, 'This must be an https address of a key set without user and password, or a key set itself.'),
  );
  return undefined;
}
