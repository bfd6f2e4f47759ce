import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { configSchema, fills } from './config-schema.ts';
import { meanings } from './meanings.ts';

export const traits: ProvisionerTraits = {
  readsParameters: 'by template',
  config: configSchema,
  meanings,
  fills,
  roots: ['node', 'ports', 'dir', 'deps', 'outputs', 'pids', 'tls'],
  members: {
    node: ['name', 'host', 'bind'],
    dir: ['base', 'conf', 'data', 'log', 'run'],
    tls: ['cert', 'key', 'ca', 'ca_pem'],
  },
  perBinding: ['bind', 'unbind'],
  supports: [
    'hooks',
    'timeouts',
    'monitor',
    'requires_offerings',
    'max_instances',
    'cost',
    'limits',
    'tls',
    'backup',
    'actions',
  ],
  selfContained: false,
  local: true,
  runsPrograms: true,
};
