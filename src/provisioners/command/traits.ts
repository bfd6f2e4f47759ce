import type { JsonObject } from '../../broker/json.ts';
import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { meanings } from './meanings.ts';

const names = { type: 'array', items: { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]*$' } };

const config: JsonObject = {
  type: 'object',
  additionalProperties: false,
  properties: {
    needs: { type: 'array', items: { type: 'string', pattern: '^[A-Za-z0-9._+-]+$' } },
    ports: { ...names, uniqueItems: true },
  },
};

export const traits: ProvisionerTraits = {
  readsParameters: 'by template',
  config,
  meanings,
  fills: { needs: 'value', 'needs.*': 'text' },
  roots: ['dir', 'node', 'ports', 'outputs', 'deps'],
  members: { node: ['name', 'host', 'bind'], dir: ['base', 'conf', 'data', 'log', 'run'] },
  supports: [
    'hooks',
    'timeouts',
    'monitor',
    'requires_offerings',
    'max_instances',
    'cost',
    'limits',
    'backup',
    'actions',
  ],
  selfContained: false,
  local: true,
  runsPrograms: true,
};
