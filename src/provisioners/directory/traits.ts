import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { configSchema } from './config.ts';
import { meanings } from './meanings.ts';

export const traits: ProvisionerTraits = {
  readsParameters: 'by template',
  config: configSchema,
  meanings,
  roots: ['dir', 'node', 'mount'],
  members: { node: ['name', 'host', 'bind'], dir: ['base', 'data'], mount: ['path', 'mode', 'access'] },
  rootsOfBindings: ['mount'],
  supports: ['monitor', 'max_instances', 'cost', 'backup'],
  selfContained: false,
  local: true,
};
