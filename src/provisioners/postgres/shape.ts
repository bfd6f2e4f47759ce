import { Failure } from '../../broker/errors.ts';
import type { Json, JsonObject } from '../../broker/json.ts';
import type { Work } from '../../broker/provisioner.ts';
import { findValue, render } from '../../broker/template.ts';

/** What an offering wants of its databases. */
export interface Shape {
  /** Sessions at once. */
  readonly connectionLimit: number;
  /** Bytes. */
  readonly quota?: number;
  readonly extensions: readonly string[];
  /** Seconds in which nothing happens in an open transaction, unless a session says otherwise; absent: no end. */
  readonly idleTransaction?: number;
}

export const serverByDefault = 'SHARED_POSTGRES_URL';

/** What a database may have unless its offering says something else: no database may have all that there are. */
export const connectionsByDefault = 10;

/** The least that a quota can be: an empty database has about 8 MB. */
const leastQuota = 10;
const megabyte = 1024 * 1024;
const extensionForm = '^[A-Za-z0-9_-]{1,63}$';

export const configSchema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  properties: {
    server: {
      type: 'string',
      pattern: '^[A-Z][A-Z0-9_]*$',
      title: "the name of the variable that holds the administrator's address",
      default: serverByDefault,
    },
    connection_limit: { type: 'integer', minimum: 1, maximum: 100_000, default: connectionsByDefault },
    quota_mb: { type: 'integer', minimum: leastQuota, maximum: 1_000_000_000 },
    idle_transaction_s: { type: 'integer', minimum: 1, maximum: 2_000_000 },
    extensions: {
      type: 'array',
      items: { type: 'string', pattern: extensionForm },
      uniqueItems: true,
      default: [],
    },
  },
};

/** The name of the variable that holds the administrator's address. */
export function serverNameOf(config: JsonObject): string {
  const { server = serverByDefault } = config;
  return typeof server === 'string' ? server : serverByDefault;
}

/** Throws Failure when what the templates came to is no number or list: no try will make it one. */
export function readShape({ plan, values }: Pick<Work, 'plan' | 'values'>): Shape {
  const quota = readQuota({ plan, values });
  return {
    connectionLimit:
      readNumber('connection_limit', filled('connection_limit', { plan, values }), 1) ?? connectionsByDefault,
    quota,
    extensions: readExtensions(filled('extensions', { plan, values })),
    idleTransaction: readNumber('idle_transaction_s', filled('idle_transaction_s', { plan, values }), 1),
  };
}

/** Bytes; undefined: there is no limit. Throws Failure as `readShape` does. */
export function readQuota(work: Pick<Work, 'plan' | 'values'>): number | undefined {
  const quota = readNumber('quota_mb', filled('quota_mb', work), leastQuota);
  return quota === undefined ? undefined : quota * megabyte;
}

function filled(name: string, { plan, values }: Pick<Work, 'plan' | 'values'>): Json | undefined {
  const template = plan.making.config[name];
  return template === undefined ? undefined : render(template, values);
}

function readNumber(name: string, value: Json | undefined, least: number): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && Number.isInteger(value) && value >= least) return value;
  throw misconfigured(`config.${name} came to something else than a whole number of ${least} or more.`);
}

function readExtensions(value: Json = []): readonly string[] {
  const list: readonly Json[] = Array.isArray(value) ? (value as readonly Json[]) : [value];
  const names = list.filter((name) => typeof name === 'string' && new RegExp(extensionForm).test(name));
  if (names.length === list.length) return names as readonly string[];
  throw misconfigured('config.extensions came to something else than a list of names.');
}

/** @param detail for the operator */
export function misconfigured(detail: string): Failure {
  return new Failure('misconfigured', 'The operator must complete the definition of this service.', {
    detail,
  });
}

/** The secret of a binding. Throws Failure when the offering makes none. */
export function requirePassword(values: JsonObject): string {
  const password = findValue(['secrets', 'password'], values);
  if (typeof password === 'string' && password) return password;
  throw misconfigured('The offering must have the secret password per binding.');
}
