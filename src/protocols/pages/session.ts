import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { BadCall, type Call, type Reply } from '../protocol.ts';
import { home } from './paths.ts';

const cookieName = 'purveyor_pages';

export interface FormSession {
  /** Is in every form that changes something. */
  readonly token: string;
  /** Give a browser its cookie that has none. */
  readonly headers?: Reply['headers'];
}

/**
 * Browsers send the login with whatever makes them ask, also with a form on a page of strangers. So each browser has a
 * cookie, which no script reads and which is not sent from other sites, and a form has what only who knows the cookie
 * and the login can make of both. Nothing of it is kept here: every broker of a cluster takes it.
 * @param isSecure the broker is reached by TLS alone
 */
export function openSession(call: Call, isSecure: boolean): FormSession {
  const known = readCookie(call);
  if (known !== undefined) return { token: tokenOf(known, call) };
  const made = randomBytes(32).toString('base64url');
  const cookie = `${cookieName}=${made}; Path=${home}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
  return { token: tokenOf(made, call), headers: { 'Set-Cookie': cookie } };
}

/** @throws BadCall 403 when the form is not one of this page, in this browser, for this user */
export function requireOwnForm(call: Call, token: string | null): void {
  const { 'sec-fetch-site': site, origin, host } = call.headers;
  if (site !== undefined && site !== 'same-origin') throw foreign();
  // These pages tell nobody where they are from, so their own forms say `null`; others, what the browser says of them.
  if (origin !== undefined && origin !== 'null' && hostOf(origin) !== host) throw foreign();
  const known = readCookie(call);
  const right = known === undefined ? undefined : Buffer.from(tokenOf(known, call));
  const given = Buffer.from(token ?? '');
  if (right?.length !== given.length || !timingSafeEqual(right, given)) throw foreign();
}

function foreign(): BadCall {
  return new BadCall(
    403,
    'This was not sent by the form of this page in this browser, or not by who is logged in now. Nothing has changed: open the page again.',
  );
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

function readCookie({ headers }: Call): string | undefined {
  const pairs = (headers['cookie'] ?? '').split(';').map((pair) => pair.trim());
  const [, value = ''] = pairs.find((pair) => pair.startsWith(`${cookieName}=`))?.split('=', 2) ?? [];
  return /^[\w-]{43}$/.test(value) ? value : undefined;
}

function tokenOf(cookie: string, { principal = '' }: Call): string {
  return createHmac('sha256', cookie).update(`form ${principal}`).digest('base64url');
}
