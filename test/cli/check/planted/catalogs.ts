import type { SmallCatalog, SmallService } from '../small-catalog.ts';

type Spoil = (catalog: SmallCatalog, service: SmallService, plan: Record<string, unknown>) => void;

/** What is wrong with a catalog, the case that tells it, and how it comes to be wrong in the last service. */
export const spoiltCatalogs: readonly (readonly [what: string, told: string, spoil: Spoil])[] = [
  ['a service without a name', 'CAT-02 failed', (_all, service) => delete service['name']],
  ['two services of one name', 'CAT-03 failed', (_all, service) => (service['name'] = 'store')],
  [
    'two services of one id',
    'CAT-05 failed',
    ({ services }, service) => (service['id'] = services[0]?.['id']),
  ],
  ['a service without a description', 'CAT-07 failed', (_all, service) => (service['description'] = '')],
  ['tags that are no texts', 'CAT-08 failed', (_all, service) => (service['tags'] = [1])],
  ['an unknown permission', 'CAT-09 failed', (_all, service) => (service['requires'] = ['root'])],
  ['bindable as a text', 'CAT-10 failed', (_all, service) => (service['bindable'] = 'true')],
  [
    'a flag of a service as a text',
    'CAT-11 failed',
    (_all, service) => (service['instances_retrievable'] = 'no'),
  ],
  ['metadata as a text', 'CAT-12 failed', (_all, _service, plan) => (plan['metadata'] = 'text')],
  [
    'a dashboard client without a secret',
    'CAT-13 failed',
    (_all, service) => (service['dashboard_client'] = { id: 'a', redirect_uri: 'http://a.test' }),
  ],
  ['a service without plans', 'CAT-14 failed', (_all, service) => (service.plans = [])],
  [
    'two plans of one id',
    'CAT-15 failed',
    (_all, service, plan) => service.plans.push({ ...plan, name: 'other' }),
  ],
  [
    'two plans of one name',
    'CAT-16 failed',
    (_all, service, plan) => service.plans.push({ ...plan, id: '2b9c7f4e-6a0b-4a0e-9b8a-0a3a3d6b7a09' }),
  ],
  ['a plan without a description', 'CAT-17 failed', (_all, _service, plan) => delete plan['description']],
  [
    'a polling duration as a text',
    'CAT-18 failed',
    (_all, _service, plan) => (plan['maximum_polling_duration'] = '60'),
  ],
  [
    'a schema that is none of draft 04',
    'CAT-25 warned',
    (_all, _service, plan) => {
      const parameters = {
        $schema: 'http://json-schema.org/draft-07/schema#',
        type: 'object',
        properties: { size: { type: 'integer', exclusiveMinimum: 1 } },
      };
      plan['schemas'] = { service_instance: { create: { parameters } } };
    },
  ],
  ['a service that is no object', 'CAT-01 failed', ({ services }) => services.push(17 as never)],
  ['a name with a space', 'CAT-04 warned', (_all, service) => (service['name'] = 'no te')],
  ['an id that is no GUID', 'CAT-06 warned', (_all, service) => (service['id'] = 'note')],
  [
    'a level of schemas as a text',
    'CAT-19 failed',
    (_all, _service, plan) => (plan['schemas'] = { service_instance: 'text' }),
  ],
  ['a schema without its draft', 'CAT-20 failed', spoilSchema({ $schema: undefined })],
  [
    'a schema that refers to another address',
    'CAT-21 failed',
    spoilSchema({ properties: { size: { $ref: 'http://schema.test/size.json' } } }),
  ],
  ['a schema of 70 kB', 'CAT-22 failed', spoilSchema({ description: 'x'.repeat(70_000) })],
  ['a schema of a list', 'CAT-23 warned', spoilSchema({ type: 'array' })],
  [
    'a schema that refers to nothing',
    'CAT-24 warned',
    spoilSchema({ properties: { size: { $ref: '#/definitions/none' } } }),
  ],
  [
    'a maintenance version of one number',
    'CAT-26 failed',
    (_all, _service, plan) => (plan['maintenance_info'] = { version: '1' }),
  ],
  ['a long description', 'CAT-27 warned', (_all, service) => (service['description'] = 'x'.repeat(256))],
  ['bullets as a text', 'CAT-28 warned', (_all, _service, plan) => (plan['metadata'] = { bullets: 'text' })],
  ['no service', 'CAT-40 warned', (catalog) => (catalog.services = [])],
  ['very long tags', 'CAT-41 warned', (_all, service) => (service['tags'] = ['x'.repeat(2049)])],
  [
    'more than is known in its maintenance info',
    'CAT-42 warned',
    (_all, _service, plan) => (plan['maintenance_info'] = { version: '1.0.0', since: 'today' }),
  ],
  ['a blank description', 'CAT-43 warned', (_all, _service, plan) => (plan['description'] = ' ')],
  [
    'a dashboard client without an address',
    'CAT-43 warned',
    (_all, service) => (service['dashboard_client'] = { id: 'a', secret: 'b' }),
  ],
  [
    'two dashboard clients of one id',
    'CAT-43 warned',
    ({ services }) => {
      for (const one of services)
        one['dashboard_client'] = { id: 'a', secret: 'b', redirect_uri: 'http://a.test' };
    },
  ],
  ['tags of null', 'CAT-44 warned', (_all, service) => (service['tags'] = null)],
];

const draft = 'http://json-schema.org/draft-04/schema#';

/** A schema for the parameters of new instances, right but for this. */
function spoilSchema(wrong: Readonly<Record<string, unknown>>): Spoil {
  return (_all, _service, plan) => {
    const parameters = { $schema: draft, type: 'object', ...wrong };
    plan['schemas'] = { service_instance: { create: { parameters } } };
  };
}
