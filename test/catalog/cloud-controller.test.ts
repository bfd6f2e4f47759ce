import { anOffering, aPlan, guid, linesOf } from './folder.ts';

/**
 * The rules by which Cloud Controller takes a catalog (its catalog, catalog_service, catalog_plan, maintenance_info
 * and schema). What it takes loads; what it refuses is an error here, or a warning that says so.
 */

const client = { id: 'c', secret: 's', redirect_uri: 'https://example.com' };
const draft = (schema: object) => ({
  plans: [aPlan({ schemas: { service_binding: { create: { parameters: schema } } } })],
});
const object = { $schema: 'http://json-schema.org/draft-04/schema#', type: 'object' };
const plan = (changes: object) => ({ plans: [aPlan(changes)] });

test.each<[what: string, changes: object]>([
  ['no bindable', {}],
  ['a description of 10000 characters', { description: 'x'.repeat(10_000) }],
  ['tags of 2048 characters', { tags: ['x'.repeat(2048)] }],
  ['metadata that is empty', { metadata: {} }],
  ['metadata.shareable', { metadata: { shareable: false } }],
  ['a dashboard client', { dashboard_client: client }],
  ['free null', plan({ free: null })],
  [
    'maintenance_info of 2000 characters',
    plan({ maintenance_info: { version: '1.0.0', description: 'x'.repeat(1960) } }),
  ],
  ['a version with a build', plan({ maintenance_info: { version: '1.2.3-rc.1+build.5' } })],
  ['a schema', draft(object)],
  ['a schema that refers to itself', draft({ ...object, properties: { a: { $ref: '#' } } })],
  ['draft 04 without #', draft({ ...object, $schema: 'http://json-schema.org/draft-04/schema' })],
  ['draft 03', draft({ ...object, $schema: 'http://json-schema.org/draft-03/schema#' })],
  ['draft 06', draft({ ...object, $schema: 'http://json-schema.org/draft-06/schema#' })],
  ['the name of no draft', draft({ ...object, $schema: 'http://json-schema.org/schema#' })],
])('Cloud Controller takes %s, and so does this broker.', async (_what, changes) => {
  const lines = await linesOf(anOffering(changes));
  expect(lines.filter((line) => !line.endsWith('(warning)'))).toEqual([]);
});

test.each<[what: string, changes: object, line: RegExp]>([
  ['a service without id', { id: null }, /^id: The key is missing/],
  ['a blank name', { name: '  ' }, /^name: /],
  ['a number for a name', { name: 5 }, /^name: /],
  ['a description of 10001 characters', { description: 'x'.repeat(10_001) }, /^description: /],
  ['a text for bindable', { bindable: 'true' }, /^bindable: /],
  ['a text for plan_updateable', { plan_updateable: 'no' }, /^plan_updateable: /],
  ['a text for bindings_retrievable', { bindings_retrievable: 'no' }, /^bindings_retrievable: /],
  ['a number among tags', { tags: ['a', 5] }, /^tags\[1\]: /],
  ['tags of 2049 characters', { tags: ['x'.repeat(2049)] }, /^tags: /],
  ['an unknown permission', { requires: ['root'] }, /^requires\[0\]: /],
  ['metadata that is a text', { metadata: 'x' }, /^metadata: /],
  [
    'a text for metadata.shareable',
    { metadata: { shareable: 'yes' } },
    /^metadata\.shareable: .*Cloud Controller refuses/,
  ],
  [
    'a dashboard client without secret',
    { dashboard_client: { ...client, secret: null } },
    /^dashboard_client\.secret: /,
  ],
  ['no plan', { plans: [] }, /^plans: /],
  ['a plan that is a text', { plans: ['x'] }, /^plans\[0\]: /],
  ['a plan without description', plan({ description: null }), /^plans\[0\]\.description: /],
  ['a text for free', plan({ free: 'yes' }), /^plans\[0\]\.free: /],
  ['the id of a plan twice', { plans: [aPlan(), aPlan({ name: 'b' })] }, /^plans\[1\]\.id: /],
  ['the name of a plan twice', { plans: [aPlan(), aPlan({ id: guid(7) })] }, /^plans\[1\]\.name: /],
  [
    'a text for maximum_polling_duration',
    plan({ maximum_polling_duration: '60' }),
    /^plans\[0\]\.maximum_polling_duration: /,
  ],
  [
    'maintenance_info without version',
    plan({ maintenance_info: { version: null } }),
    /^plans\[0\]\.maintenance_info\.version: /,
  ],
  [
    'a version of two numbers',
    plan({ maintenance_info: { version: '1.0' } }),
    /^plans\[0\]\.maintenance_info\.version: /,
  ],
  [
    'another key in maintenance_info',
    plan({ maintenance_info: { version: '1.0.0', a: 1 } }),
    /^plans\[0\]\.maintenance_info\.a: /,
  ],
  [
    'maintenance_info of more than 2000 characters',
    plan({ maintenance_info: { version: '1.0.0', description: 'x'.repeat(2000) } }),
    /maintenance_info: /,
  ],
  ['schemas that are a list', plan({ schemas: [] }), /^plans\[0\]\.schemas: /],
  ['a schema without $schema', draft({ type: 'object' }), /\$schema: The schema must name its draft/],
  [
    'a draft of its own',
    draft({ ...object, $schema: 'http://example.com/schema#' }),
    /\$schema: The draft is not known/,
  ],
  [
    'a draft with https',
    draft({ ...object, $schema: 'https://json-schema.org/draft-04/schema#' }),
    /\$schema: .*Cloud Controller refuses/,
  ],
  [
    'draft 07',
    draft({ ...object, $schema: 'http://json-schema.org/draft-07/schema#' }),
    /\$schema: .*Cloud Controller refuses/,
  ],
  [
    'draft 2019-09',
    draft({ ...object, $schema: 'https://json-schema.org/draft/2019-09/schema' }),
    /\$schema: .*Cloud Controller refuses/,
  ],
  ['a type that is none', draft({ ...object, properties: { a: { type: 'text' } } }), /properties\.a\.type: /],
  [
    'a file elsewhere',
    draft({ ...object, properties: { a: { $ref: 'http://example.com/a' } } }),
    /properties\.a\["?\$ref|properties\.a\.\$ref: /,
  ],
  [
    'a schema of more than 64 kB',
    draft({ ...object, description: 'x'.repeat(65_536) }),
    /parameters: The schema has/,
  ],
])('Cloud Controller refuses %s, and this broker says so.', async (_what, changes, line) => {
  expect(await linesOf(anOffering(changes))).toContainEqual(expect.stringMatching(line));
});
