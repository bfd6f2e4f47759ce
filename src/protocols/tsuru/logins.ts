import type { Call, Login, Realm } from '../protocol.ts';

export interface TsuruLogins {
  /** Absent: the name of the offering. */
  readonly username?: string | undefined;
  /** For offerings without one of their own; absent: they cannot be reached. */
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
  if (tsuruPassword !== undefined || tsuruPasswords) return { username, password: tsuruPassword, passwords };
  return externalDatabase ? undefined : { username, password: keptSecret('tsuru-password'), passwords };
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

export function loginsOf({ username, password, passwords }: TsuruLogins, offering: string): readonly Login[] {
  const own = Object.hasOwn(passwords, offering) ? passwords[offering] : password;
  return own === undefined ? none : [{ username: username ?? offering, password: own }];
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
