import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { configSchema } from './config.ts';
import { meanings } from './meanings.ts';

export const traits: ProvisionerTraits = {
  readsParameters: 'by template',
  config: configSchema,
  meanings,
  roots: ['dir', 'node'],
  members: { node: ['name', 'host', 'bind'], dir: ['base', 'data'] },
  supports: ['monitor', 'max_instances', 'cost'],
  selfContained: false,
  local: true,
};
