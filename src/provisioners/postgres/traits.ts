import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { configSchema } from './shape.ts';
import { meanings } from './meanings.ts';

export const traits: ProvisionerTraits = {
  readsParameters: 'by template',
  config: configSchema,
  meanings,
  fills: {
    connection_limit: 'value',
    quota_mb: 'value',
    idle_transaction_s: 'value',
    extensions: 'value',
    'extensions.*': 'value',
  },
  roots: ['server', 'db', 'tls'],
  members: { server: ['host', 'port', 'sslmode'], db: ['name', 'user'], tls: ['ca_pem'] },
  secrets: { password: 'binding' },
  supports: ['monitor', 'max_instances', 'tls', 'backup'],
  selfContained: false,
};
