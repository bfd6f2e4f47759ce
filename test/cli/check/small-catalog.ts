import type { Json } from '../../../src/broker/json.ts';

/** A catalog that may be spoilt. */
export interface SmallCatalog {
  services: SmallService[];
}

export type SmallService = Record<string, unknown> & { plans: Record<string, unknown>[] };

const schema = {
  $schema: 'http://json-schema.org/draft-04/schema#',
  type: 'object',
  properties: { size: { type: 'integer', minimum: 1 } },
  additionalProperties: false,
};

/** Two offerings; the first plan can do all that a plan can do. */
export function smallCatalog(): SmallCatalog {
  return {
    services: [
      {
        id: '2b9c7f4e-6a0b-4a0e-9b8a-0a3a3d6b7a01',
        name: 'store',
        description: 'Keeps things',
        tags: ['store'],
        bindable: true,
        instances_retrievable: true,
        bindings_retrievable: true,
        allow_context_updates: true,
        plan_updateable: true,
        metadata: { displayName: 'Store' },
        plans: [
          {
            id: '2b9c7f4e-6a0b-4a0e-9b8a-0a3a3d6b7a02',
            name: 'small',
            description: 'A small one',
            free: true,
            binding_rotatable: true,
            maximum_polling_duration: 600,
            maintenance_info: { version: '1.2.3', description: 'As of now' },
            schemas: {
              service_instance: { create: { parameters: schema }, update: { parameters: schema } },
              service_binding: { create: { parameters: schema } },
            },
          },
          {
            id: '2b9c7f4e-6a0b-4a0e-9b8a-0a3a3d6b7a03',
            name: 'large',
            description: 'A large one',
            free: false,
          },
        ],
      },
      {
        id: '2b9c7f4e-6a0b-4a0e-9b8a-0a3a3d6b7a04',
        name: 'note',
        description: 'Keeps notes',
        bindable: false,
        plans: [{ id: '2b9c7f4e-6a0b-4a0e-9b8a-0a3a3d6b7a05', name: 'plain', description: 'As it is' }],
      },
    ],
  };
}

/** Does the schema above allow them? */
export function areAllowed(parameters: Json | undefined): boolean {
  if (parameters === undefined) return true;
  const { size, ...others } = parameters as Record<string, Json>;
  if (Object.keys(others).length > 0) return false;
  return size === undefined || (Number.isInteger(size) && (size as number) >= 1);
}
