/** The configuration of this program: that of the core, and that of the provisioners and protocols it has. */
import { readEnvironment, type CoreConfig, type Environment } from '../config/config.ts';
import type { ValuesOf } from '../config/option.ts';
import { allOptions } from '../config/options.ts';
import { dashboardOptions } from '../protocols/dashboard/options.ts';
import { tsuruOptions } from '../protocols/tsuru/options.ts';
import { kubernetesOptions } from '../provisioners/kubernetes/options.ts';
import { postgresOptions } from '../provisioners/postgres/options.ts';

/** README, `--help` and Config are made from this. Beside `shipped.ts`, since help asks for nothing else of what is there. */
export const options = allOptions(
  { ...kubernetesOptions, ...postgresOptions },
  { ...tsuruOptions, ...dashboardOptions },
);

export type Config = CoreConfig & ValuesOf<typeof options>;

/**
 * @param env the environment of the process when absent
 * @param terminal as `readEnvironment` takes it
 * @throws ConfigError
 */
export function readConfig(env?: Environment, terminal?: boolean): Config {
  return readEnvironment(options, env, terminal);
}
