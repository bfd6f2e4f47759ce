import type { SmallCatalog, SmallService } from './small-catalog.ts';
import { checkSmall, shortcomingsIn } from './small-check.ts';

/** Whatever is wrong in a catalog is told by the case to which it belongs, and by no other one. */

type Spoil = (catalog: SmallCatalog, service: SmallService, plan: Record<string, unknown>) => void;

const faults: readonly (readonly [what: string, told: string, spoil: Spoil])[] = [
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
];

test.each(faults)(
  'A catalog with %s is told by the case that %s names, and by no other.',
  async (_what, told, spoil) => {
    const { report } = await checkSmall(
      {
        spoil(catalog) {
          const service = catalog.services.at(-1) as SmallService;
          spoil(catalog, service, service.plans[0] as Record<string, unknown>);
        },
      },
      ['catalog'],
    );
    expect(shortcomingsIn(report)).toEqual([told]);
  },
);
