import { createHmac, scryptSync } from 'node:crypto';
import { BadCall, type Call, type Login, type Realm } from '../protocol.ts';

export interface TsuruLogins {
  /** Absent: the name of the offering. */
  readonly username?: string | undefined;
  /** The operator's, which opens every offering without one of its own; absent: those cannot be reached. */
  readonly password?: string | undefined;
  /** By the name of the offering. */
  readonly passwords: Readonly<Record<string, string>>;
}

/** What the options say of them. */
export interface LoginSettings {
  readonly tsuruUsername: string | undefined;
  readonly tsuruPassword: string | undefined;
  readonly tsuruPasswords: Readonly<Record<string, string>> | undefined;
  readonly externalDatabase: boolean;
}

/**
 * Those that were given; passwords of single offerings are those of all there is then. Beside an external database there
 * may be other brokers, which could not know a password that was made here: without one tsuru is not served.
 * @param keptSecret of a file in the data directory, made once
 */
export function readLogins(
  { tsuruUsername: username, tsuruPassword, tsuruPasswords, externalDatabase }: LoginSettings,
  keptSecret: (file: string) => string,
): TsuruLogins | undefined {
  const passwords = tsuruPasswords ?? {};
  const isGiven = tsuruPassword !== undefined || tsuruPasswords !== undefined;
  if (!isGiven && externalDatabase) return undefined;
  const password = isGiven ? tsuruPassword : keptSecret('tsuru-password');
  return { username, password, passwords };
}

const keys = new WeakMap<TsuruLogins, Buffer>();

/**
 * By which each offering has a password that opens no other. Slow to make, so that nobody finds the operator's password
 * by trying, from one that was made of it; and made for the first who asks, since most brokers have no tsuru.
 */
function keyOf(logins: TsuruLogins, password: string): Buffer {
  const key = keys.get(logins) ?? scryptSync(password, 'purveyor tsuru', 32);
  keys.set(logins, key);
  return key;
}

const mostKept = 1000;
const none: readonly Login[] = [];

/** Each offering is a service of its own to tsuru, with a login that opens no other. */
export function createLogins(logins: TsuruLogins): Realm {
  const known = new Map<string, readonly Login[]>();
  return {
    name: 'tsuru service',
    logins(call) {
      const offering = offeringOf(call);
      const found = known.get(offering) ?? loginsOf(logins, offering);
      // Anybody can ask for offerings that do not exist.
      if (known.size >= mostKept) known.clear();
      known.set(offering, found);
      return found;
    },
  };
}

/** The first is the offering's own, which stands in its manifest and opens no other. */
export function loginsOf(logins: TsuruLogins, offering: string): readonly Login[] {
  const { username, password, passwords } = logins;
  const named = (one: string): Login => ({ username: username ?? offering, password: one });
  const own = Object.hasOwn(passwords, offering) ? passwords[offering] : undefined;
  if (own !== undefined) return [named(own)];
  if (password === undefined) return none;
  return [named(madeFor(offering, keyOf(logins, password))), named(password)];
}

/** What a manifest gives: of the operator's offering its own; a platform with a name has no other than the one it asks with. */
export function loginFor(call: Call, logins: TsuruLogins): Login | undefined {
  if (call.platform === undefined) return loginsOf(logins, offeringOf(call))[0];
  const [, basic = ''] = /^Basic +(\S+)/i.exec(call.headers['authorization'] ?? '') ?? [];
  const [, username, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(basic, 'base64').toString()) ?? [];
  if (username !== undefined && password !== undefined) return { username, password };
  throw new BadCall(400, 'A manifest is had with a username and a password, which it holds.');
}

/** 32 letters, digits, - and _, the same at every broker with this key. */
function madeFor(offering: string, key: Buffer): string {
  return createHmac('sha256', key).update(offering).digest('base64url').slice(0, 32);
}

/** Also of a path that leads nowhere, whose parts nobody has read yet. */
function offeringOf({ params, path }: Pick<Call, 'params' | 'path'>): string {
  const [, , part = ''] = path.split('/');
  return params?.['offering'] ?? decoded(part);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return '';
  }
}
