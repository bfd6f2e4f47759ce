import { ConfigError, ourEnvironment, readValues, type CoreValues, type Environment } from './config.ts';
import type { OptionGroup, ValuesOf } from './option.ts';
import { coreOptions } from './options.ts';

/** Where a broker that runs with these variables is. */
export type BrokerAddress = Pick<
  CoreValues,
  'port' | 'host' | 'publicUrl' | 'dataDir' | 'tlsCert' | 'brokerCa'
>;

/** What is needed to speak to it as an operator. */
export type OperatorAccess = BrokerAddress & Pick<CoreValues, 'operatorUsername' | 'operatorPassword'>;

/** The options of OperatorAccess alone. @throws ConfigError */
export function readOperatorAccess(env: Environment = ourEnvironment()): OperatorAccess {
  const { operatorUsername, operatorPassword } = coreOptions;
  return readAccess({ operatorUsername, operatorPassword }, env);
}

/** What is needed to speak to it as a platform. */
export type PlatformAccess = BrokerAddress & Pick<CoreValues, 'username' | 'password'>;

/** The options of PlatformAccess alone. @throws ConfigError */
export function readPlatformAccess(env: Environment = ourEnvironment()): PlatformAccess {
  const { username, password } = coreOptions;
  return readAccess({ username, password }, env);
}

/** BROKER_CA and TLS_CERT alone, for who asks a broker that is told in another way. @throws ConfigError */
export function readTrusted(env: Environment = ourEnvironment()): Pick<CoreValues, 'brokerCa' | 'tlsCert'> {
  const { brokerCa, tlsCert } = coreOptions;
  return readOnly({ brokerCa, tlsCert }, env);
}

function readAccess<Group extends OptionGroup>(
  login: Group,
  env: Environment,
): BrokerAddress & ValuesOf<Group> {
  const { port, host, publicUrl, dataDir, tlsCert, brokerCa } = coreOptions;
  const reach = { port, host, publicUrl, dataDir, tlsCert, brokerCa };
  return readOnly({ ...reach, ...login }, env) as BrokerAddress & ValuesOf<Group>;
}

/** These alone: what else is wrong in the environment does not matter. @throws ConfigError */
export function readOnly<Group extends OptionGroup>(
  options: Group,
  env: Environment = ourEnvironment(),
): ValuesOf<Group> {
  const problems: string[] = [];
  const values = readValues(options, env, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return values as ValuesOf<Group>;
}
