import { backupOptions } from './backups.ts';
import { credhubOptions } from './credhub.ts';
import { nodeOptions } from './node.ts';
import { operatorOptions } from './operator.ts';
import type { OptionGroup } from './option.ts';
import { servingOptions } from './serving.ts';
import { workOptions } from './work.ts';

/** What every broker reads, whatever provisioners and protocols it has. */
export const coreOptions = {
  ...servingOptions,
  ...nodeOptions,
  ...operatorOptions,
  ...credhubOptions,
  ...backupOptions,
  ...workOptions,
};

/** All options, in the order in which people should meet them. */
export function allOptions<Provisioners extends OptionGroup, Protocols extends OptionGroup>(
  provisioners: Provisioners,
  protocols: Protocols,
) {
  return {
    ...servingOptions,
    ...nodeOptions,
    ...provisioners,
    ...operatorOptions,
    ...protocols,
    ...credhubOptions,
    ...backupOptions,
    ...workOptions,
  };
}
