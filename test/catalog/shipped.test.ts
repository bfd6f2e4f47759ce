import { join } from 'node:path';
import { Ajv } from 'ajv';
import type { JsonObject } from '../../src/broker/json.ts';
import { loadCatalog } from '../../src/catalog/load.ts';
import { offeringSchema } from '../../src/catalog/form/schema.ts';
import { shippedTraits } from '../../src/program/shipped.ts';

/** What this repository sells: catalog/ and catalog/trial/, as people see it in a marketplace. */

const root = join(import.meta.dirname, '../..');
const traits = shippedTraits();
const load = (folder: string) => loadCatalog([join(root, folder)], traits);

const schemas: readonly (readonly [of: string, schema: JsonObject])[] = [
  ['offering files', offeringSchema],
  ...Object.entries(traits).map(([name, { config }]) => [`config of ${name}`, config] as const),
  ...Object.entries(traits).map(([name, { settings = {} }]) => [`with of ${name}`, settings] as const),
];

test.each(schemas)(
  'The schema of %s keeps to the rules, which is taken for granted at load.',
  (_of, schema) => {
    const ajv = new Ajv({ strict: false });
    void ajv.validateSchema(schema);
    expect(ajv.errors ?? []).toEqual([]);
  },
);

test('The shipped catalog is good without a warning.', async () => {
  expect((await load('catalog')).problems).toEqual([]);
});

test.each(['catalog', 'catalog/containers', 'catalog/kubernetes', 'catalog/trial'])(
  'Every offering of %s tells a marketplace all it can show.',
  async (folder) => {
    const { offerings = [] } = (await load(folder)).catalog ?? {};
    expect(offerings.length).toBeGreaterThan(0);
    const address = expect.stringMatching(/^https:\/\//) as string;
    for (const { name, metadata } of offerings) {
      expect({ name, ...metadata }).toMatchObject({
        name,
        displayName: expect.stringMatching(/\S/) as string,
        longDescription: expect.stringMatching(/\.$/) as string,
        // It is there without a server of anybody's.
        imageUrl: expect.stringMatching(/^data:image\/svg\+xml;base64,/) as string,
        providerDisplayName: 'Purveyor',
        documentationUrl: address,
        supportUrl: address,
      });
      const [, image = ''] = JSON.stringify(metadata?.['imageUrl']).slice(1, -1).split(',');
      expect(Buffer.from(image, 'base64').toString()).toMatch(/^<svg .*<\/svg>$/);
    }
  },
);

test('Every plan that is not free says what it costs, and no other plan does.', async () => {
  const { offerings = [] } = (await load('catalog')).catalog ?? {};
  const plans = offerings.flatMap((offering) => offering.plans);
  expect(plans.some(({ free }) => !free)).toBe(true);
  for (const { offeringName, name, free, metadata } of plans) {
    const cost = { amount: { usd: expect.any(Number) as number }, unit: 'MONTHLY' };
    expect([offeringName, name, metadata?.['costs']]).toEqual([
      offeringName,
      name,
      free ? undefined : [cost],
    ]);
  }
});
