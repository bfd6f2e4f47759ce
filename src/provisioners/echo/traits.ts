import type { JsonObject } from '../../broker/json.ts';
import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { tokenNames } from './tokens.ts';
import { meanings } from './meanings.ts';

const configSchema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  properties: { answer: { enum: ['echo', 'invert'] } },
};

const settingsSchema: JsonObject = {
  type: 'object',
  additionalProperties: false,
  properties: { keep: { type: 'integer', minimum: 1, maximum: 100_000 } },
};

export const traits: ProvisionerTraits = {
  readsParameters: 'by template',
  config: configSchema,
  meanings,
  fills: {},
  settings: settingsSchema,
  roots: ['echo'],
  secrets: { [tokenNames.binding]: 'binding', [tokenNames.instance]: 'instance' },
  selfContained: true,
};
