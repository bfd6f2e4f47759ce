import type { Call, Login, Realm } from '../protocol.ts';

export interface TsuruLogins {
  /** Absent: the name of the offering. */
  readonly username?: string | undefined;
  /** For offerings without one of their own; absent: they cannot be reached. */
  readonly password?: string | undefined;
  /** By the name of the offering. */
  readonly passwords: Readonly<Record<string, string>>;
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
