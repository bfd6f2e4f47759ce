/** The configuration of this program: that of the core, and that of the provisioners and protocols it has. */
import { readEnvironment, type CoreConfig, type Environment } from '../config/config.ts';
import type { ValuesOf } from '../config/option.ts';
import { allOptions } from '../config/options.ts';
import { optionsOf, protocolModules, provisionerModules } from './shipped.ts';

/** README, `--help` and Config are made from this. */
export const options = allOptions(optionsOf(provisionerModules), optionsOf(protocolModules));

export type Config = CoreConfig & ValuesOf<typeof options>;

/**
 * @param env the environment of the process when absent
 * @param terminal as `readEnvironment` takes it
 * @throws ConfigError
 */
export function readConfig(env?: Environment, terminal?: boolean): Config {
  return readEnvironment(options, env, terminal);
}
