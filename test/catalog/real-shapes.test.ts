import type { JsonObject } from '../../src/broker/json.ts';
import { anOffering, aPlan, guid, loaded } from './folder.ts';

/** Shapes in which catalogs of existing brokers are written. Each loads without an error. */

const draft04 = 'http://json-schema.org/draft-04/schema#';

function withSchema(schema: object): object {
  const parameters = { $schema: draft04, type: 'object', ...schema };
  return { plans: [aPlan({ schemas: { service_instance: { create: { parameters } } } })] };
}

const nothing = Object.fromEntries(
  [
    'tags',
    'requires',
    'bindable',
    'instances_retrievable',
    'bindings_retrievable',
    'allow_context_updates',
    'plan_updateable',
    'metadata',
    'dashboard_client',
    'extensions',
    'timeouts',
    'monitor',
    'hooks',
    'secrets',
    'max_instances',
    'config',
  ].map((key) => [key, null]),
);
const nothingOfPlan = Object.fromEntries(
  [
    'free',
    'bindable',
    'plan_updateable',
    'binding_rotatable',
    'maximum_polling_duration',
    'maintenance_info',
    'metadata',
    'schemas',
    'with',
    'cost',
    'extensions',
  ].map((key) => [key, null]),
);

test.each<[shape: string, changes: object]>([
  ['null in every optional place of the service', nothing],
  ['null in every optional place of a plan', { plans: [aPlan(nothingOfPlan)] }],
  ['null around schemas', { plans: [aPlan({ schemas: { service_instance: null, service_binding: null } })] }],
  [
    'null inside schemas',
    {
      plans: [
        aPlan({
          schemas: {
            service_instance: { create: null, update: { parameters: null } },
            service_binding: { create: { parameters: null } },
          },
        }),
      ],
    },
  ],
  [
    'null in maintenance_info',
    { plans: [aPlan({ maintenance_info: { version: '1.0.0', description: null } })] },
  ],
  [
    'null in timeouts and in the monitor',
    { timeouts: { start: null }, monitor: { every: null, restart: 2 } },
  ],
  ['null in conventional metadata', { metadata: { displayName: null, shareable: null, supportUrl: null } }],
  ['bullets that are one text', { plans: [aPlan({ metadata: { bullets: 'fast, good' } })] }],
  ['bullets with objects', { plans: [aPlan({ metadata: { bullets: [{ content: 'fast' }] } })] }],
  ['costs that are an object', { plans: [aPlan({ metadata: { costs: { usd: 1 } } })] }],
  ['costs without a unit', { plans: [aPlan({ metadata: { costs: [{ amount: { usd: 1 } }] } })] }],
  [
    'amounts as text',
    { plans: [aPlan({ metadata: { costs: [{ amount: { usd: '9.99' }, unit: 'MONTHLY' }] } })] },
  ],
  ['costs that are null', { plans: [aPlan({ metadata: { costs: null, bullets: null } })] }],
  [
    'metadata of a vendor, nested',
    { metadata: { listing: { blurb: 'x', imageUrl: null }, provider: { name: 'y' } } },
  ],
  ['a number for a display name', { metadata: { displayName: 42 } }],
  ['a list for a documentation address', { metadata: { documentationUrl: ['https://example.com'] } }],
  ['ids that are words', { id: 'my-service_v1', plans: [aPlan({ id: 'plan:small/1' })] }],
  ['the id of the service as that of a plan', { id: guid(9), plans: [aPlan({ id: guid(9) })] }],
  ['names with blanks and capitals', { name: 'My Service', plans: [aPlan({ name: 'Small Plan (shared)' })] }],
  ['tags twice and empty ones', { tags: ['a', 'a', ''] }],
  ['a permission twice', { requires: ['syslog_drain', 'syslog_drain'], bindable: false }],
  ['no longest time', { plans: [aPlan({ maximum_polling_duration: 0 })] }],
  [
    'scopes of a dashboard client',
    { dashboard_client: { id: 'c', secret: 's', redirect_uri: 'https://e', scope: [] } },
  ],
  ['members of a vendor', { extensions: { 'x-vendor': { a: null }, active: true, display: null } }],
  ['a schema of a vendor', { plans: [aPlan({ schemas: { service_broker: { create: {} } } })] }],
  [
    'hints for forms with ids',
    withSchema({
      properties: { a: { type: 'string', widget: { id: 'select' } }, b: { widget: { id: 'select' } } },
    }),
  ],
  [
    'ids of a generator',
    withSchema({
      id: 'http://example.com/root.json',
      properties: { a: { id: '/properties/a', type: 'string' } },
    }),
  ],
  [
    'the same id twice',
    withSchema({ properties: { a: { id: 'field', type: 'string' }, b: { id: 'field', type: 'string' } } }),
  ],
  ['an id that cannot be read', withSchema({ properties: { a: { id: 'http://[x y]', type: 'string' } } })],
  ['a parameter called id', withSchema({ properties: { id: { type: 'string' }, $id: { type: 'string' } } })],
  [
    'ids among examples and forms',
    withSchema({ properties: { a: { 'x-form': [{ id: 1 }, { id: 'x' }] } }, examples: { id: 'a' } }),
  ],
  [
    'references to definitions of its own',
    withSchema({ properties: { a: { $ref: '#/$defs/a' } }, $defs: { a: { type: 'string' } } }),
  ],
  [
    'references into keywords of its own',
    withSchema({ properties: { a: { $ref: '#/parts/a' } }, parts: { a: { id: 'p', type: 'string' } } }),
  ],
  ['formats of its own', withSchema({ properties: { a: { type: 'string', format: 'password' } } })],
  ['look-around', withSchema({ properties: { a: { type: 'string', pattern: '^(?!-)[a-z-]+(?<!-)$' } } })],
  ['long repetitions', withSchema({ properties: { a: { type: 'string', pattern: '^[\\w-]{0,1024}$' } } })],
  [
    'an escape that Unicode does not know',
    withSchema({ properties: { a: { type: 'string', pattern: '^[\\w\\-\\.\\@]+$' } } }),
  ],
  ['an old name of the draft', withSchema({ $schema: 'http://json-schema.org/schema#' })],
  ['draft 06', withSchema({ $schema: 'http://json-schema.org/draft-06/schema#' })],
  ['draft 07', withSchema({ $schema: 'http://json-schema.org/draft-07/schema#' })],
  [
    'draft 07 with the id of draft 04',
    withSchema({ $schema: 'http://json-schema.org/draft-07/schema#', id: 'x' }),
  ],
  ['draft 2020-12', withSchema({ $schema: 'https://json-schema.org/draft/2020-12/schema' })],
])('A catalog with %s loads.', async (_shape, changes) => {
  const { catalog, lines } = await loaded({ 'a.json': anOffering(changes) });
  expect(lines.filter((line) => !line.endsWith('(warning)'))).toEqual([]);
  expect(catalog?.offerings).toHaveLength(1);
});

const merged = `
id: ${guid(1)}
name: merged
description: With anchors
provisioner: maker
credentials: { host: '{{node.host}}' }
plans:
  - &base { id: ${guid(2)}, name: small, description: Small, metadata: { displayName: S } }
  - { <<: *base, id: ${guid(3)}, name: large }
  - <<: [{ description: First }, *base]
    id: ${guid(4)}
    name: huge
`;

test('Merge keys of YAML merge, and what stands beside them counts first.', async () => {
  const { catalog, lines } = await loaded({ 'a.yaml': merged });
  expect(lines).toEqual([]);
  const plans = catalog?.offerings[0]?.plans.map(({ name, description }) => `${name}: ${description}`);
  expect(plans).toEqual(['small: Small', 'large: Small', 'huge: First']);
});

test('Null in metadata beyond its conventions, in extensions and in schemas is data; elsewhere it is not published.', async () => {
  const { catalog } = await loaded({
    'a.json': anOffering({
      metadata: { displayName: null, vendor: null },
      extensions: { vendor: { deep: null } },
      ...withSchema({ properties: { a: { type: ['string', 'null'], default: null } } }),
    }),
  });
  const [offering] = catalog?.offerings ?? [];
  expect(offering?.metadata).toEqual({ vendor: null });
  expect(offering?.extensions).toEqual({ vendor: { deep: null } });
  expect(offering?.plans[0]?.making.defaults).toEqual({ a: null });
});

test('A longest time of 0 is none.', async () => {
  const { catalog } = await loaded({
    'a.json': anOffering({ plans: [aPlan({ maximum_polling_duration: 0 })] }),
  });
  expect(catalog?.offerings[0]?.plans[0]).toMatchObject({ maximumPollingDuration: undefined });
});

test.each<[where: string, changes: JsonObject, path: string]>([
  ['a service', { extensions: { plans: [] } }, 'extensions.plans'],
  ['a plan', { plans: [aPlan({ extensions: { free: false } })] }, 'plans[0].extensions.free'],
])('An extension of %s does not take the place of a standard member.', async (_where, changes, path) => {
  const { lines } = await loaded({ 'a.json': anOffering(changes) });
  expect(lines).toEqual([
    `a.json: ${path}: The specification has a member of this name: say it without extensions.`,
  ]);
});
