import { hostname } from 'node:os';
import { join } from 'node:path';
import { findBoundDatabase } from '../database/bound-database.ts';
import { readConnection } from '../database/connection.ts';
import { isLoopback } from './loopback.ts';
import { WrongSentence, WrongValue } from './kinds.ts';
import type { Option, OptionFamily, OptionGroup, ValuesOf } from './option.ts';
import { halfOfCredhub } from './credhub.ts';
import { coreOptions } from './options.ts';
import { placesOfBackups } from './backups.ts';
import { halfOfTls } from './serving.ts';
import { namesLike, type Redact, redactor, secretValues } from './secret-values.ts';
import { standardCatalog } from './standard-catalog.ts';

export type CoreValues = ValuesOf<typeof coreOptions>;

/** What was asked of the core, with what the options leave to each other worked out. */
export interface CoreConfig extends CoreValues {
  readonly host: string;
  readonly logFormat: 'text' | 'json';
  /** Undefined: the address that is listened on. */
  readonly publicUrl: string | undefined;
  readonly catalogDirs: readonly string[];
  readonly trustProxy: number | string;
  readonly node: boolean;
  readonly nodeName: string;
  readonly nodeBind: string;
  readonly nodeDir: string;
  readonly allowUnisolated: boolean;
  /** Where programs are looked for. */
  readonly path: string | undefined;
  /** Is the database somebody else's, perhaps shared with other brokers? */
  readonly externalDatabase: boolean;
  /** What is secret in the environment: it appears in no message. */
  readonly secrets: ReadonlySet<string>;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Of this process. */
export function ourEnvironment(): Environment {
  return process.env;
}

/** Carries every problem at once; no sentence holds a value, it could be a secret. */
export class ConfigError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/**
 * The one reader of the environment. A variable that is set but empty counts as not set.
 * @param options those of the core among them
 * @param terminal Is somebody looking at the output? Decides LOG_FORMAT where it is not set.
 * @throws ConfigError
 */
export function readEnvironment<Group extends typeof coreOptions>(
  options: Group,
  env: Environment = process.env,
  terminal: boolean = process.stdout.isTTY === true,
): CoreConfig & ValuesOf<Group> {
  const problems: string[] = [];
  // Each value was read by the kind that its type is taken from.
  const values = readValues(options, env, problems) as CoreValues & ValuesOf<Group>;
  const host = values.host ?? standardHost(env);
  const externalDatabase = namesDatabase(values, problems);
  const config = {
    ...values,
    catalogDirs: values.catalogDirs ?? standardCatalog(),
    host,
    logFormat: values.logFormat ?? (terminal ? 'text' : 'json'),
    publicUrl: values.publicUrl ?? platformUrl(values.vcapApplication),
    trustProxy: values.trustProxy ?? (values.vcapApplication === undefined ? 0 : 1),
    node: values.node ?? isNodeByItself(values),
    nodeName: values.nodeName ?? hostname(),
    nodeBind: values.nodeBind ?? values.nodeHost,
    nodeDir: values.nodeDir ?? join(values.dataDir ?? '', 'node'),
    path: env['PATH'],
    // Who only tries it out has no strangers on the machine.
    allowUnisolated: values.allowUnisolated ?? (!externalDatabase && isLoopback(host)),
    externalDatabase,
    secrets: secretValues(options, env),
  };
  problems.push(
    ...halfOfTls(config),
    ...halfOfCredhub(config),
    ...placesOfBackups(config),
    ...secondLogin(config),
    ...loginOfTwoRealms(config),
    ...nodeWithoutWorkers(config),
    ...pullOfAnything(config),
  );
  if (config.externalDatabase) problems.push(...sharedSecrets(env));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** For what is told before, or instead of, a configuration. */
export function readRedact(options: OptionGroup, env: Environment = process.env): Redact {
  return redactor(secretValues(options, env));
}

/** Where programs are looked for. */
export function readPath(env: Environment = process.env): string | undefined {
  return env['PATH'];
}

/** Each option by name as it is now, for people; of secrets only whether they are set. */
export function presentValues(
  options: OptionGroup,
  env: Environment = process.env,
): ReadonlyMap<string, string> {
  return new Map(Object.values(options).map((option) => [option.name, presentValue(option, env)]));
}

/** Each of these options; what is wrong is added to the problems. */
export function readValues(
  asked: OptionGroup,
  env: Environment,
  problems: string[],
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(asked).map(([key, option]) => [
      key,
      'alike' in option ? readFamily(option, env, problems) : readValue(option, env, problems),
    ]),
  );
}

/** Of those that are set. */
function readFamily(
  option: OptionFamily,
  env: Environment,
  problems: string[],
): Readonly<Record<string, unknown>> {
  const each = namesLike(option, env).map(
    (name) => [name, readValue({ ...option, name }, env, problems)] as const,
  );
  return Object.fromEntries(each.filter(([, value]) => value !== undefined));
}

/** One option; what is wrong is added to the problems. */
export function readValue(option: Option, env: Environment, problems: string[]): unknown {
  const given = textOf(option, env) ?? option.standard;
  if (given === undefined) return undefined;
  try {
    return option.kind.read(given, option.name);
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    problems.push(error instanceof WrongSentence ? error.message : `${option.name} ${error.message}.`);
    return undefined;
  }
}

function textOf({ name, kind }: Option, env: Environment): string | undefined {
  const given = env[name] ?? '';
  if (given.trim() === '') return undefined;
  return kind.secret ? given : given.trim();
}

/** A platform that hands out a port, or describes the app, wants to reach it from outside. */
function standardHost(env: Environment): string {
  return textOf(coreOptions.vcapApplication, env) === undefined ? '127.0.0.1' : '0.0.0.0';
}

/** Programs beside an app on a platform would die with its container; other systems cannot tell them apart. */
function isNodeByItself({ vcapApplication, workers }: CoreValues): boolean {
  return process.platform === 'linux' && vcapApplication === undefined && workers !== 0;
}

function nodeWithoutWorkers({ node, workers }: CoreConfig): readonly string[] {
  return node && workers === 0
    ? ['WORKERS is 0, but NODE_ROLE is true: nobody else could carry the work on this node.']
    : [];
}

/** An offering file alone shall not decide what comes onto the machine. */
function pullOfAnything({ nodePull, nodeImages }: CoreConfig): readonly string[] {
  return nodePull && nodeImages === undefined
    ? ['NODE_IMAGES is missing: NODE_PULL is true, and it says which images may be fetched.']
    : [];
}

function platformUrl(application: CoreValues['vcapApplication']): string | undefined {
  const uris = application?.['application_uris'] ?? application?.['uris'];
  const first: unknown = Array.isArray(uris) ? uris[0] : undefined;
  return typeof first === 'string' && first !== '' ? `https://${first}` : undefined;
}

function secondLogin({ username2, password2 }: CoreValues): readonly string[] {
  return username2 !== undefined && password2 === undefined
    ? ['BROKER_PASSWORD_2 is missing: BROKER_USERNAME_2 is set.']
    : [];
}

/** Else every platform could do what operators may. */
function loginOfTwoRealms(config: CoreConfig): readonly string[] {
  const { operatorUsername, operatorPassword, username, password, username2 = username, password2 } = config;
  if (operatorPassword === undefined) return [];
  const logins = { BROKER_PASSWORD: [username, password], BROKER_PASSWORD_2: [username2, password2] };
  return Object.entries(logins)
    .filter(([, [name, word]]) => name === operatorUsername && word === operatorPassword)
    .map(
      ([option]) =>
        `OPERATOR_PASSWORD must not be ${option}, with the same name: platforms would be operators.`,
    );
}

/** One that is named but cannot be used counts too: nothing else may be taken in its stead. */
const noDatabaseOnPlatform =
  'DATABASE_URL is missing, and VCAP_SERVICES binds no Postgres that could be recognised: an app on a platform cannot keep its state on its own disk.';

function namesDatabase(
  { databaseUrl, vcapServices, vcapApplication }: CoreValues,
  problems: string[],
): boolean {
  try {
    if (databaseUrl !== undefined) return Boolean(readConnection(databaseUrl, coreOptions.databaseUrl.name));
    const bound = findBoundDatabase(vcapServices) !== undefined;
    if (!bound && vcapApplication !== undefined) problems.push(noDatabaseOnPlatform);
    return bound || vcapApplication !== undefined;
  } catch (error) {
    problems.push((error as Error).message);
    return true;
  }
}

/** Brokers that share a database must agree on these, so none may make its own. */
function sharedSecrets(env: Environment): readonly string[] {
  return [coreOptions.password, coreOptions.encryptionKeys]
    .filter((option) => textOf(option, env) === undefined)
    .map(({ name }) => `${name} is missing: with an external database it must be set.`);
}

function presentValue(option: Option, env: Environment): string {
  const given = textOf(option, env);
  if (option.kind.secret) return given === undefined ? 'not set' : 'set';
  const problems: string[] = [];
  readValue(option, env, problems);
  // What cannot be used is not shown: it may be a secret in the wrong place.
  return problems[0] === undefined
    ? (given ?? option.standard ?? `(${option.otherwise})`)
    : `(${problems[0]})`;
}
