import { randomBytes } from 'node:crypto';
import type { Config } from '../config.ts';
import type { Login } from '../../protocols/protocol.ts';
import { secretsOfKeys } from '../../config/secret-values.ts';
import { keepSecret, type Kept } from './keep-secret.ts';
import type { TakenNames } from '../principals/read.ts';
import { newSecret } from './random.ts';
import { readKeys, type KeyRing } from '../../stores/keyring.ts';

export interface Secrets {
  /** All are valid at the same time; the first is the one to be told of. */
  readonly logins: readonly [Login, ...Login[]];
  /** Set when nobody chose a password. */
  readonly madePassword?: Kept;
  /** Absent: there is no operator API. */
  readonly operator?: { readonly login: Login; readonly made?: Kept };
  readonly keys: KeyRing;
}

/** Where in the data directory the platforms' password is kept when nobody chose one. */
export const brokerPasswordFile = 'broker-password';

/** Where in the data directory the operator's password is kept when nobody chose one. */
export const operatorPasswordFile = 'operator-password';

/** Is told what must be shown nowhere, before anything is done with it. */
type Hide = (secrets: readonly string[]) => void;

/**
 * What was given, or else what the first start made and kept in the data directory.
 * @param hide is told of what is kept; what was given is known by the environment
 */
export function readSecrets(config: Config, hide: Hide): Secrets {
  const { username, password, username2 = username, password2, dataDir } = config;
  const made = password === undefined ? keepPassword(dataDir, brokerPasswordFile, hide) : undefined;
  const first = { username, password: password ?? made?.value ?? '' };
  const second = password2 === undefined ? [] : [{ username: username2, password: password2 }];
  return {
    logins: [first, ...second],
    madePassword: made,
    ...operatorOf(config, hide),
    keys: config.encryptionKeys ?? keepKeys(dataDir, hide),
  };
}

/** What is there already: none is made. @throws Error that names the file when there are none */
export function presentKeys({ encryptionKeys, dataDir }: Config): KeyRing {
  const none = () => {
    throw new Error(
      `There are no encryption keys here: set ENCRYPTION_KEYS, or bring the file encryption-keys to ${dataDir}.`,
    );
  };
  return encryptionKeys ?? keepKeys(dataDir, () => undefined, none);
}

/** The names of the environment's logins, as PRINCIPALS_FILE may not give them to others. */
export function takenNames({ username, username2, operatorUsername }: Config): TakenNames {
  return {
    platforms: username2 === undefined ? [username] : [username, username2],
    operators: [operatorUsername],
  };
}

/** Beside an external database there may be other brokers, which could not know a password that was made here. */
function operatorOf(config: Config, hide: Hide): Pick<Secrets, 'operator'> {
  const { operatorUsername: username, operatorPassword: password, externalDatabase, dataDir } = config;
  if (password !== undefined) return { operator: { login: { username, password } } };
  if (externalDatabase) return {};
  const made = keepPassword(dataDir, operatorPasswordFile, hide);
  return { operator: { login: { username, password: made.value }, made } };
}

/** Of a file in the data directory, made by whoever asks for it first. */
export function keptSecret(dataDir: string, file: string, hide: Hide): string {
  return keepPassword(dataDir, file, hide).value;
}

function keepPassword(directory: string, name: string, hide: Hide): Kept {
  const kept = keepSecret(directory, name, () => newSecret(24));
  hide([kept.value]);
  return kept;
}

function keepKeys(directory: string, hide: Hide, make = newKey): KeyRing {
  const { value } = keepSecret(directory, 'encryption-keys', make);
  hide(secretsOfKeys(value));
  return readKeys(value);
}

function newKey(): string {
  return `1:${randomBytes(32).toString('base64')}`;
}
