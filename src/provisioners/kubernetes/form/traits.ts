import type { ProvisionerTraits } from '../../../broker/provisioner.ts';
import { configSchema } from './config-schema.ts';
import { fills } from './fills.ts';
import { meanings } from './meanings.ts';

export const traits: ProvisionerTraits = {
  readsParameters: 'by template',
  config: configSchema,
  meanings,
  fills,
  roots: ['cluster', 'namespace', 'objects', 'read', 'deps'],
  members: { cluster: ['name', 'uid'] },
  declared: {
    objects: { in: ['objects', 'bind.objects'], members: ['name', 'uid'] },
    read: { in: ['read', 'bind.read'], isConfidential: true },
  },
  ordered: [
    { at: 'objects', root: 'objects' },
    { at: 'bind.objects', root: 'objects' },
  ],
  perBinding: ['bind', 'unbind'],
  supports: ['timeouts', 'monitor', 'requires_offerings', 'max_instances', 'cost'],
  usualRestarts: 0,
  selfContained: false,
};
