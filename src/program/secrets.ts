import { randomBytes } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Login } from '../protocols/protocol.ts';
import type { TsuruLogins } from '../protocols/tsuru/realm.ts';
import { keepSecret, type Kept } from './keep-secret.ts';
import { newSecret } from './random.ts';
import { readKeys, type KeyRing } from '../stores/keyring.ts';

export interface Secrets {
  /** All are valid at the same time; the first is the one to be told of. */
  readonly logins: readonly [Login, ...Login[]];
  /** Set when nobody chose a password. */
  readonly madePassword?: Kept;
  /** Absent: there is no operator API. */
  readonly operator?: { readonly login: Login; readonly made?: Kept };
  /** Absent: tsuru is not served. */
  readonly tsuru?: TsuruLogins;
  readonly keys: KeyRing;
}

/** Where in the data directory the operator's password is kept when nobody chose one. */
export const operatorPasswordFile = 'operator-password';

/** What was given, or else what the first start made and kept in the data directory. */
export function readSecrets(config: Config): Secrets {
  const { username, password, username2 = username, password2, dataDir } = config;
  const made =
    password === undefined ? keepSecret(dataDir, 'broker-password', () => newSecret(24)) : undefined;
  const first = { username, password: password ?? made?.value ?? '' };
  const second = password2 === undefined ? [] : [{ username: username2, password: password2 }];
  return {
    logins: [first, ...second],
    ...(made ? { madePassword: made } : {}),
    ...operatorOf(config),
    ...tsuruOf(config),
    keys: config.encryptionKeys ?? readKeys(keepSecret(dataDir, 'encryption-keys', newKey).value),
  };
}

/** Beside an external database there may be other brokers, which could not know a password that was made here. */
function operatorOf(config: Config): Pick<Secrets, 'operator'> {
  const { operatorUsername: username, operatorPassword: password, externalDatabase, dataDir } = config;
  if (password !== undefined) return { operator: { login: { username, password } } };
  if (externalDatabase) return {};
  const made = keepSecret(dataDir, operatorPasswordFile, () => newSecret(24));
  return { operator: { login: { username, password: made.value }, made } };
}

/** As with the operator's; passwords of single offerings are those of all there is then. */
function tsuruOf(config: Config): Pick<Secrets, 'tsuru'> {
  const { tsuruUsername: username, tsuruPassword, tsuruPasswords, externalDatabase, dataDir } = config;
  const passwords = tsuruPasswords ?? {};
  if (tsuruPassword !== undefined || tsuruPasswords) {
    return { tsuru: { username, password: tsuruPassword, passwords } };
  }
  if (externalDatabase) return {};
  const { value: password } = keepSecret(dataDir, 'tsuru-password', () => newSecret(24));
  return { tsuru: { username, password, passwords } };
}

function newKey(): string {
  return `1:${randomBytes(32).toString('base64')}`;
}
