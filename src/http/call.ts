import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { BadCall, type Call } from '../protocols/protocol.ts';

/**
 * A request's target without the address that a proxy puts before it. Slashes at the start count as one: a
 * broker's address that ends in a slash makes platforms ask for `//v2/catalog`. Nothing else is resolved or
 * decoded: an id may hold an encoded slash.
 */
export function plainTarget(url: string): string {
  if (url[0] === '/' && url[1] !== '/') return url;
  return url.replace(/^https?:\/\/[^/?#]*/i, '').replace(/^\/*/, '/');
}

/** The request as a plain value, before login and body. */
export function readCall(request: IncomingMessage & { params?: unknown }, method: string): Call {
  const { url = '/', headers } = request;
  const mark = url.indexOf('?');
  return {
    method,
    path: pathWithoutQuery(url),
    params: request.params as Call['params'],
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    // Only Set-Cookie is ever a list, and requests have none.
    headers: headers as Call['headers'],
    body: undefined,
    principal: undefined,
    platform: undefined,
    readsOnly: undefined,
    requestId: readRequestId(headers['x-vcap-request-id']),
    // The server ends its own half as soon as the other one has ended.
    isGone: () => !request.socket.writable,
  };
}

/** Cloud Foundry's router names requests, so that logs can be joined; any other text is not repeated. */
function readRequestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/**
 * What node:http lets pass although HTTP does not (RFC 9112, 3.2), and what somebody on the way may read in another
 * way than we do.
 */
export function requireWellFormed({ url = '/', rawHeaders, httpVersion }: IncomingMessage): void {
  if (/[^!-~]|#/.test(url)) throw new BadCall(400, 'The request path and query must be percent-encoded.');
  requirePlainPath(pathWithoutQuery(url));
  const hosts = valuesOf('host', rawHeaders);
  if (hosts.length === 0 && httpVersion === '1.1') throw new BadCall(400, 'The request has no Host header.');
  if (hosts.length > 1) throw new BadCall(400, 'The request has more than one Host header.');
  if (hosts.some((host) => !/^[\w.~%:[\]-]*$/.test(host)))
    throw new BadCall(400, 'The Host header is not the name or address of a host.');
  // Only one of them was looked at, and a proxy may have looked at the other.
  if (valuesOf('authorization', rawHeaders).length > 1)
    throw new BadCall(400, 'The request has more than one Authorization header.');
}

/** Browsers and proxies fold parts of dots, encoded or not, so the request would be another one there. */
function requirePlainPath(path: string): void {
  if (/(?:^|[/\\])(?:\.|%2e){1,2}(?:[/\\]|$)/i.test(path))
    throw new BadCall(400, 'A part of the request path is . or .., which cannot be an id.');
  if (path.includes('%00')) throw new BadCall(400, 'The request path holds a NUL, which no id can have.');
}

/** @param name in lower case @param raw names and values in turn */
function valuesOf(name: string, raw: readonly string[]): readonly string[] {
  return raw.filter((_value, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === name);
}

export function pathWithoutQuery(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? url : url.slice(0, mark);
}
