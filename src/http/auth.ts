import { timingSafeEqual } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import basicAuth from 'express-basic-auth';
import type { Request, RequestHandler, Response } from 'express';
import {
  type HashedLogin,
  BadCall,
  type Call,
  type CallerCertificate,
  type Login,
  type Realm,
  type TokenCheck,
} from '../protocols/protocol.ts';
import { countFailures, pauseAfter } from './failed-logins.ts';
import type { Listener } from './listener.ts';
import { createSlowChecks } from './slow-checks.ts';
import { createTriedUser } from './tried-user.ts';
import { Crowded } from './turns.ts';

/** Who was let in. */
export interface User {
  readonly name: string;
  readonly platform?: string | undefined;
  readonly readsOnly?: boolean | undefined;
}

/**
 * Gives the user, at once where the login is known, or rejects with BadCall 401, later and later the more often it failed;
 * with 429 where so many logins are to be checked that this one was not.
 */
export type Authenticate = (
  exchange: { readonly request: Request; readonly response: Response },
  realm: Realm,
  call: Pick<Call, 'path' | 'params'>,
) => User | Promise<User>;

/** Nobody is let in with what was given. */
export class WrongLogin extends BadCall {
  /** As it may be logged. */
  readonly user: string;

  constructor({ status, message, headers }: BadCall, user: string) {
    super(status, message, headers);
    this.name = 'WrongLogin';
    this.user = user;
  }
}

/**
 * HTTP Basic (RFC 7617) against the logins of a realm, several of which are valid at the same time, and then against
 * its accounts; or a bearer token (RFC 6750); or, without either, a certificate that was shown in the handshake.
 * @param realms all there are, whose users are known by name
 */
export function createAuth(
  realms: readonly Realm[],
  shownBy: Listener['shownBy'] = () => undefined,
): Authenticate {
  const checks = new WeakMap<readonly Login[], Check>();
  const slowly = createSlowChecks();
  const failures = countFailures();
  const nameTried = createTriedUser();

  function checkOf(realm: Realm, logins: readonly Login[]): Check {
    const known = checks.get(logins) ?? createCheck(realm, logins);
    checks.set(logins, known);
    return known;
  }

  return function authenticate({ request, response }, realm, call) {
    const { find, read } = checkOf(realm, realm.logins(call));
    const header = request.headers.authorization ?? '';
    // Nearly all requests spell the header as we do, and reading it costs more than comparing it.
    const found = find(header);
    if (found) return { name: found.username };
    const shown = header === '' ? shownBy(request.socket) : undefined;
    if (shown) return holderOf(realm, shown, request.ip);
    const token = /^Bearer +(\S+) *$/i.exec(header)?.[1];
    const check = token === undefined ? undefined : realm.tokens?.();
    if (token !== undefined && check) return bearerOf(realm, check(token), request.ip);
    const accounts = realm.accounts?.() ?? none;
    const account = slowly.known(accounts, header);
    if (account) return userOf(account);
    try {
      read(request, response, passed);
      return { name: takeLogin(request)?.username as string };
    } catch (error) {
      const tried = takeLogin(request);
      // Only guesses are slowed, not requests without any login.
      if (tried === undefined) return Promise.reject(error as BadCall);
      return tryAccounts(accounts, header, tried, request.ip).then((right) => {
        if (right) return userOf(right);
        const known = realms.flatMap((one) => [...one.logins(call), ...(one.accounts?.() ?? none)]);
        return slow(request.ip, new WrongLogin(error as BadCall, nameTried(tried.username, known)));
      });
    }
  };

  function holderOf(
    realm: Realm,
    shown: NonNullable<ReturnType<Listener['shownBy']>>,
    address: string | undefined,
  ): User | Promise<User> {
    const found = shown.refused === undefined ? realm.certificates?.()?.(shown) : undefined;
    if (found) return found;
    const sentence = shown.refused ?? 'The client certificate is of nobody who may log in here.';
    const { status, headers } = unknown(realm);
    return slow(address, new WrongLogin(new BadCall(status, sentence, headers), nameOf(shown)));
  }

  function bearerOf(
    realm: Realm,
    found: ReturnType<TokenCheck>,
    address: string | undefined,
  ): User | Promise<User> {
    if (found && !(found instanceof Promise)) return found;
    return Promise.resolve(found).then(
      (right) => right ?? slow(address, new WrongLogin(unknown(realm), 'a token')),
    );
  }

  async function tryAccounts(
    accounts: readonly HashedLogin[],
    header: string,
    tried: Login,
    address = '',
  ): Promise<HashedLogin | undefined> {
    try {
      return await slowly.check(accounts, header, tried, address);
    } catch (error) {
      if (!(error instanceof Crowded)) throw error;
      throw new BadCall(429, 'Too many passwords are to be checked at once. Try again.', {
        'Retry-After': '1',
      });
    }
  }

  async function slow(address: string | undefined, error: unknown): Promise<never> {
    const pause = pauseAfter(failures.add(address ?? ''));
    if (pause > 0) await wait(pause, undefined, { ref: false });
    throw error;
  }
}

const none: readonly HashedLogin[] = [];

function userOf({ username, platform, readsOnly }: HashedLogin): User {
  return { name: username, platform, readsOnly };
}

interface Check {
  /** By the header as we spell it. */
  readonly find: (header: string) => Login | undefined;
  /** Reads the header in all its lawful spellings; the refusal is thrown, for the mount to write. */
  readonly read: RequestHandler;
}

function createCheck(realm: Realm, logins: readonly Login[]): Check {
  const find = loginFinder(logins);
  const authorizer = (username: string, password: string) =>
    find(headerOf({ username, password })) !== undefined;
  return { find, read: basicAuth({ authorizer, unauthorizedResponse: () => refuse(realm) }) };
}

function passed(): void {}

function headerOf({ username, password }: Login): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

/** Compares in constant time, and with every login whether one was found or not. */
function loginFinder(logins: readonly Login[]): (header: string) => Login | undefined {
  const known = logins.map((login) => ({ login, header: Buffer.from(headerOf(login), 'latin1') }));
  const scratch = known.map(({ header }) => Buffer.alloc(header.length));
  return function find(given) {
    let found: Login | undefined;
    for (const [index, { login, header }] of known.entries()) {
      const copy = scratch[index] as Buffer;
      copy.write(given, 0, header.length, 'latin1');
      if (timingSafeEqual(copy, header) && given.length === header.length) found = login;
    }
    return found;
  };
}

function refuse(realm: Realm): never {
  throw unknown(realm);
}

const longestName = 100;

/** What it says of itself may be anything, but nobody writes a password there. */
function nameOf({ subject, names }: CallerCertificate): string {
  const text = (subject === '' ? names : subject.replaceAll('\n', ',')).replaceAll(/\p{Cc}/gu, '');
  return `certificate ${text.slice(0, longestName)}`;
}

function unknown({ name }: Realm): BadCall {
  return new BadCall(401, 'A valid username and password are needed.', {
    'WWW-Authenticate': `Basic realm="${name}", charset="UTF-8"`,
  });
}

/** express-basic-auth leaves name and clear password on the request: takes them away. */
function takeLogin(
  request: Request & { auth?: { readonly user: string; readonly password: string } },
): Login | undefined {
  const { auth } = request;
  // A real `delete` would make every later access to the request slow.
  request.auth = undefined;
  return auth && { username: auth.user, password: auth.password };
}
