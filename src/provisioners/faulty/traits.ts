import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { faultSchema } from './fault.ts';

const noConfig = { type: 'object', additionalProperties: false };

export const traits: ProvisionerTraits = {
  config: noConfig,
  settings: faultSchema,
  roots: ['thing'],
  selfContained: false,
};
