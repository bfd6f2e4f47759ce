import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { BadCall, type Call } from '../protocols/protocol.ts';

/**
 * A request's target without the address that a proxy puts before it. Slashes at the start count as one: a
 * broker's address that ends in a slash makes platforms ask for `//v2/catalog`. Nothing else is resolved or
 * decoded: an id may be `..` or hold an encoded slash.
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
    path: mark < 0 ? url : url.slice(0, mark),
    params: request.params as Call['params'],
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    // Only Set-Cookie is ever a list, and requests have none.
    headers: headers as Call['headers'],
    body: undefined,
    principal: undefined,
    requestId: readRequestId(headers['x-vcap-request-id']),
  };
}

/** Cloud Foundry's router names requests, so that logs can be joined; any other text is not repeated. */
function readRequestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/** What node:http lets pass although HTTP does not (RFC 9112, 3.2). */
export function requireWellFormed({ url = '/', headers, httpVersion }: IncomingMessage): void {
  if (/[^!-~]|#/.test(url)) throw new BadCall(400, 'The request path and query must be percent-encoded.');
  if (headers.host === undefined && httpVersion === '1.1') {
    throw new BadCall(400, 'The request has no Host header.');
  }
}
