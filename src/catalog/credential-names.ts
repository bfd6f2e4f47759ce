import { isObject, type Json, type JsonObject } from '../broker/json.ts';
import type { PerPlan } from './form/offering-file.ts';

/**
 * The credentials of a plan, as templates, with all names by which libraries look for what is there when the file says
 * of what type they are, and with what those need who speak TLS. What the file says itself is never changed, but for the
 * scheme of an address that says TLS by another one.
 */
export function namedCredentials(words: PerPlan): JsonObject | undefined {
  const { credentials, credentials_type: type, tls } = words;
  if (!credentials) return undefined;
  return withNames(tls === true ? withTls(credentials) : credentials, type, tls);
}

function withNames(credentials: JsonObject, type: string | undefined, tls = false): JsonObject {
  if (type === undefined) return credentials;
  const driver = drivers.get(type);
  const pairs = driver ? [...everywhere, ...ofDatabases] : everywhere;
  const both = {
    ...credentials,
    ...Object.fromEntries(pairs.flatMap((pair) => missingOf(pair, credentials))),
  };
  const added: Readonly<Record<string, Json | undefined>> = {
    type,
    provider: 'purveyor',
    jdbcUrl: driver && jdbcUrl(driver, both, tls),
  };
  const known = Object.entries(added).filter(([name, value]) => value !== undefined && !(name in both));
  return { ...both, ...(Object.fromEntries(known) as JsonObject) };
}

/** As libpq and JDBC write it: encrypted, and verified by who names a file with the `ca`, which no address can hold. */
const postgresInTls = 'sslmode=require';

/** By which an address says that TLS is spoken. */
const schemesOfTls: ReadonlyMap<string, string> = new Map([
  ['redis', 'rediss'],
  ['amqp', 'amqps'],
  ['nats', 'tls'],
  ['mqtt', 'mqtts'],
  ['http', 'https'],
  ['ws', 'wss'],
  ['syslog', 'syslog-tls'],
]);

function withTls(credentials: JsonObject): JsonObject {
  return { tls: true, ca: '{{tls.ca_pem}}', ...secured(credentials) };
}

/** Those of groups, too, such as one for each protocol. */
function secured(credentials: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(credentials).map(([name, value]) => {
      if (isObject(value)) return [name, secured(value)];
      return [name, isAddress(name) && typeof value === 'string' ? secureAddress(value) : value];
    }),
  );
}

function isAddress(name: string): boolean {
  return /^(?:(?:.*_)?ur[il]s?|endpoints?)$/.test(name);
}

/** An address by the scheme or setting that says TLS; as it is where there is none. */
export function secureAddress(address: string): string {
  if (/^postgres(?:ql)?:/.test(address) && !/[?&]sslmode=/.test(address))
    return `${address}${address.includes('?') ? '&' : '?'}${postgresInTls}`;
  const [, scheme = '', rest = ''] = /^([a-z]+)(:\/\/.*)$/s.exec(address) ?? [];
  const secure = schemesOfTls.get(scheme);
  return secure === undefined ? address : `${secure}${rest}`;
}

type Pair = readonly [string, string];

/** What Cloud Foundry's libraries look for, and what the Service Binding Specification calls it. */
const everywhere: readonly Pair[] = [
  ['host', 'hostname'],
  ['uri', 'url'],
];

const ofDatabases: readonly Pair[] = [['name', 'database']];

interface Driver {
  readonly scheme: string;
  /** Beside user and password. */
  readonly setting?: string;
  /** The same where TLS is spoken: encrypted, and verified by who hands the driver the `ca`. */
  readonly tlsSetting?: string;
  /** The credential that is handed to the driver under the same name, where no setting of TLS is. */
  readonly hands?: string;
}

const drivers: ReadonlyMap<string, Driver> = new Map<string, Driver>([
  // MySQL's driver takes no other scheme, and passes over the setting without which MariaDB's does not take this one.
  ['mysql', { scheme: 'jdbc:mysql', setting: 'permitMysqlScheme=true', tlsSetting: 'sslMode=REQUIRED' }],
  ['mariadb', { scheme: 'jdbc:mariadb', tlsSetting: 'sslMode=REQUIRED' }],
  ['postgresql', { scheme: 'jdbc:postgresql', hands: 'sslmode', tlsSetting: postgresInTls }],
]);

/** The one of the two names that is not there, with the value of the other one. */
function missingOf(pair: Pair, credentials: JsonObject): readonly (readonly [string, Json])[] {
  const [first, second] = pair.map((name) => credentials[name]);
  if ((first === undefined) === (second === undefined)) return [];
  return first === undefined ? [[pair[0], second as Json]] : [[pair[1], first]];
}

/** Undefined where a part is missing, or is text in which values cannot be escaped one by one. */
function jdbcUrl(driver: Driver, credentials: JsonObject, tls: boolean): string | undefined {
  const { scheme, setting, tlsSetting, hands = '' } = driver;
  const [host, port, database] = ['host', 'port', 'database'].map((name) => written(credentials[name]));
  const [user, password, handed] = ['username', 'password', hands].map((name) => escaped(credentials[name]));
  if ([host, port, database, user, password].includes(undefined)) return undefined;
  const query = [
    `user=${user}`,
    `password=${password}`,
    setting,
    tls ? tlsSetting : undefined,
    handed && !(tls && tlsSetting) && `${hands}=${handed}`,
  ];
  return `${scheme}://${host}:${port}/${database}?${query.filter(Boolean).join('&')}`;
}

function written(value: Json | undefined): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}

/** What is filled in is escaped when it is known. */
function escaped(text: Json | undefined): string | undefined {
  if (typeof text !== 'string' || !text.isWellFormed()) return undefined;
  if (!text.includes('{{')) return encodeURIComponent(text);
  const [, path] = /^\{\{\s*([^{}|]*[^{}|\s])\s*\}\}$/.exec(text) ?? [];
  return path === undefined ? undefined : `{{${path} | uri}}`;
}
