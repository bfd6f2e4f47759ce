import { timingSafeEqual } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import basicAuth from 'express-basic-auth';
import type { Request, RequestHandler, Response } from 'express';
import { BadCall, type Call, type Login, type Realm } from '../protocols/protocol.ts';
import { countFailures, pauseAfter } from './failed-logins.ts';
import { createTriedUser } from './tried-user.ts';

/** Gives the user's name at once, or rejects with BadCall 401, later and later the more often it failed. */
export type Authenticate = (
  exchange: { readonly request: Request; readonly response: Response },
  realm: Realm,
  call: Pick<Call, 'path' | 'params'>,
) => string | Promise<never>;

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
 * HTTP Basic (RFC 7617) against the logins of a realm, several of which are valid at the same time.
 * @param realms all there are, whose users are known by name
 */
export function createAuth(realms: readonly Realm[]): Authenticate {
  const checks = new WeakMap<readonly Login[], Check>();
  const failures = countFailures();
  const nameTried = createTriedUser();

  function checkOf(realm: Realm, logins: readonly Login[]): Check {
    const known = checks.get(logins) ?? createCheck(realm, logins);
    checks.set(logins, known);
    return known;
  }

  return function authenticate({ request, response }, realm, call) {
    const { find, read } = checkOf(realm, realm.logins(call));
    // Nearly all requests spell the header as we do, and reading it costs more than comparing it.
    const found = find(request.headers.authorization ?? '');
    if (found) return found.username;
    try {
      read(request, response, passed);
      return takeLogin(request) as string;
    } catch (error) {
      const tried = takeLogin(request);
      // Only guesses are slowed, not requests without any login.
      if (tried === undefined) return Promise.reject(error as BadCall);
      const known = realms.flatMap((one) => one.logins(call));
      return slow(request.ip, new WrongLogin(error as BadCall, nameTried(tried, known)));
    }
  };

  async function slow(address: string | undefined, error: unknown): Promise<never> {
    const pause = pauseAfter(failures.add(address ?? ''));
    if (pause > 0) await wait(pause, undefined, { ref: false });
    throw error;
  }
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

function refuse({ name }: Realm): never {
  throw new BadCall(401, 'A valid username and password are needed.', {
    'WWW-Authenticate': `Basic realm="${name}", charset="UTF-8"`,
  });
}

/** express-basic-auth leaves name and clear password on the request: takes them away and gives the name. */
function takeLogin(request: Request & { auth?: { readonly user: string } }): string | undefined {
  const user = request.auth?.user;
  // A real `delete` would make every later access to the request slow.
  request.auth = undefined;
  return user;
}
