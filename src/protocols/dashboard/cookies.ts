import type { Call } from '../protocol.ts';

export interface CookiePlace {
  /** Below which the browser sends it. */
  readonly path: string;
  /** By TLS alone? */
  readonly secure: boolean;
}

/** As `Set-Cookie` has it: no script reads it, and no form of another site is sent with it. */
export function cookie(name: string, value: string, seconds: number, { path, secure }: CookiePlace): string {
  const age = Math.max(0, Math.floor(seconds));
  return `${name}=${value}; Path=${path}; Max-Age=${age}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
}

export function cookieIn({ headers }: Pick<Call, 'headers'>, name: string): string | undefined {
  const pairs = (headers['cookie'] ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** @param url the broker's own, which may have a path */
export function placeOf(url: string, below: string): CookiePlace {
  const { pathname, protocol } = new URL(url);
  return { path: `${pathname.replace(/\/$/, '')}${below}`, secure: protocol === 'https:' };
}
