import { randomBytes } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Login } from '../http/auth.ts';
import { keepSecret, type Kept } from './keep-secret.ts';
import { newSecret } from './random.ts';
import { readKeys, type KeyRing } from '../stores/keyring.ts';

export interface Secrets {
  /** All are valid at the same time; the first is the one to be told of. */
  readonly logins: readonly [Login, ...Login[]];
  /** Set when nobody chose a password. */
  readonly madePassword?: Kept;
  readonly keys: KeyRing;
}

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
    keys: config.encryptionKeys ?? readKeys(keepSecret(dataDir, 'encryption-keys', newKey).value),
  };
}

function newKey(): string {
  return `1:${randomBytes(32).toString('base64')}`;
}
