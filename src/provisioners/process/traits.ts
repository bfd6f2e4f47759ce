import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { configSchema, fills } from './config-schema.ts';
import { meanings } from './meanings.ts';

export const traits: ProvisionerTraits = {
  readsParameters: 'by template',
  config: configSchema,
  meanings,
  fills,
  roots: ['node', 'ports', 'dir', 'deps', 'outputs', 'pids'],
  members: { node: ['name', 'host', 'bind'], dir: ['base', 'conf', 'data', 'log', 'run'] },
  perBinding: ['bind', 'unbind'],
  supports: ['hooks', 'timeouts', 'monitor', 'requires_offerings', 'max_instances', 'cost', 'limits'],
  selfContained: false,
  local: true,
  runsPrograms: true,
};
