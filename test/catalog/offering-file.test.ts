import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../src/broker/json.ts';
import { filterNames } from '../../src/broker/template.ts';
import { publishedSchema } from '../../src/catalog/form/published-schema.ts';
import { hookNames } from '../../src/catalog/form/schema-words.ts';
import { shippedTraits } from '../../src/program/shipped.ts';
import { explainedKeys, withKeyTables } from '../support/key-tables.ts';
import { loaded, program } from './folder.ts';

/** The guide for service authors says what the schema says. */

const shipped = shippedTraits();

const guide = readFileSync(join(import.meta.dirname, '../../docs/offering-file.md'), 'utf8');

test.each([...explainedKeys().entries()].filter(([, { forms }]) => forms.size > 0))(
  'Every key of the table %s is one of its schema.',
  (_, { forms, meanings }) => {
    expect(Object.keys(meanings).filter((key) => !forms.has(key))).toEqual([]);
  },
);

test('Every key of every schema is explained once.', () => {
  const tables = [...explainedKeys().values()];
  const keys = tables
    .map(({ forms }) => forms)
    .flatMap((forms) => [...forms.keys()].map((key) => [forms, key] as const));
  const counts = keys.map(([forms, key]) => {
    const about = new Set(tables.filter((one) => one.forms === forms).map(({ meanings }) => meanings));
    return `${key}: ${[...about].filter((meanings) => meanings[key] !== undefined).length}`;
  });
  expect(counts.filter((count) => !count.endsWith(': 1'))).toEqual([]);
});

test('The tables of keys are what `npm run guide` makes of the schemas.', () => {
  expect(withKeyTables(guide)).toBe(guide);
  const names = [...guide.matchAll(/<!-- keys: (\w+) -->/g)].map(([, name]) => name);
  const filled = [...explainedKeys()].filter(([, { forms }]) => forms.size > 0).map(([name]) => name);
  expect(names).toHaveLength(filled.length);
  expect(new Set(names)).toEqual(new Set(filled));
});

test('A key that is not of the schema cannot be told in the page: a changed cell is found.', () => {
  const changed = guide.replace(/^\| `id` {3,}\| text/m, '| `id` | whole number');
  expect(changed).not.toBe(guide);
  expect(withKeyTables(changed)).toBe(guide);
});

test('Editors are told what each key means.', () => {
  const { properties, definitions } = publishedSchema(shipped) as Record<string, Record<string, JsonObject>>;
  expect(properties?.['id']?.['description']).toBe(
    'For ever the same, best a GUID. At most 255 characters, unique in the catalog',
  );
  expect(definitions?.['parameter']?.['properties']).toMatchObject({
    minimum: { description: 'The least value' },
  });
  expect(definitions?.['process.process']?.['properties']).toMatchObject({
    cwd: { description: expect.stringContaining('{{dir.x}}') as string },
  });
});

test.each<[table: string, names: readonly string[]]>([
  ['moment', hookNames],
  ['filter', filterNames],
  ['root', ['params', 'plan', 'secrets', 'instance', 'binding', 'broker', 'deps']],
])('Every %s is explained.', (table, names) => {
  const [, body = ''] = new RegExp(`^\\| ${table} .*\n\\| -.*\n((?:\\|.*\n)*)`, 'm').exec(guide) ?? [];
  expect([...body.matchAll(/^\| (\w+)/gm)].map(([, name]) => name)).toEqual([...names]);
});

test('The examples are offering files without any problem.', async () => {
  const examples = [...guide.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text);
  const files = examples.filter((text) => /^provisioner:/m.test(text));
  expect(files.length).toBeGreaterThan(0);
  const hooks = files.flatMap((text) =>
    [...text.matchAll(/\.\/(hooks\/[\w/.-]+)/g)].map(([, path = '']) => path),
  );
  const { lines } = await loaded(
    {
      ...Object.fromEntries(files.map((text, index) => [`${index}.yaml`, text])),
      ...Object.fromEntries(hooks.map((path) => [path, program])),
    },
    shipped,
  );
  expect(lines).toEqual([]);
});
