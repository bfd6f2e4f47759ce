import { createHash, timingSafeEqual } from 'node:crypto';
import type { Call } from '../../protocols/protocol.ts';

/** The secrets that an offering file of this provisioner must have, per instance and per binding. */
export const tokenNames = { instance: 'dashboard_token', binding: 'token' } as const;

/** The token of `Authorization: Bearer`, else the one in the address, so that a plain POST to it works. */
export function readToken({ headers, query }: Call): string {
  const bearer = /^Bearer +(\S+) *$/i.exec(headers['authorization'] ?? '');
  return bearer?.[1] ?? query.get('token') ?? '';
}

/** Compares in constant time; nothing is the same as a token that does not exist. */
export function sameToken(given: string, expected: string | undefined): boolean {
  const same = timingSafeEqual(digest(given), digest(expected ?? ''));
  return same && expected !== undefined && expected !== '';
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
