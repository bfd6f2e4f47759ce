import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, type Json, type JsonObject } from '../../src/broker/json.ts';
import { filterNames } from '../../src/broker/template.ts';
import { offeringSchema } from '../../src/catalog/form/schema.ts';
import { hookNames } from '../../src/catalog/form/schema-words.ts';
import { shippedTraits } from '../../src/program/shipped.ts';
import { loaded, program } from './folder.ts';

/** The guide for service authors says what the schema says. */

const shipped = shippedTraits();

const guide = readFileSync(join(import.meta.dirname, '../../docs/offering-file.md'), 'utf8');

test('Every key of the schema has its row, with its type and default, and no row has another key.', () => {
  const written = rowsIn(guide).filter((row) => !row.startsWith('config.'));
  expect(written.toSorted()).toEqual(rowsOf(offeringSchema, '', definitionsOf(offeringSchema)).toSorted());
});

test.each(Object.entries(shipped))(
  'Every key that %s has in config has its row, and no other.',
  (name, { config }) => {
    const [, section = ''] = new RegExp(`^### \`${name}\`\n([^]*?)^##`, 'm').exec(guide) ?? [];
    expect(rowsIn(section).toSorted()).toEqual(rowsOf(config, 'config', definitionsOf(config)).toSorted());
  },
);

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

/** `key | type | default` of the tables. */
function rowsIn(text: string): string[] {
  const rows = [...text.matchAll(/^\| `([^`]+)` *\| ([^|]+?) *\| ([^|]*?) *\| \S/gm)];
  return rows.map(([, ...cells]) => cells.join(' | '));
}

/** `key | type | default` of everything in a schema that has a name of its own. */
function rowsOf(given: Json, path: string, known: JsonObject): string[] {
  // The items of a parameter are parameters again.
  if (path.endsWith('.items')) return [];
  const schema = resolved(given, known);
  const required: Json = schema['required'] ?? [];
  const members = Object.entries(membersOf(schema)).flatMap(([key, member]) => {
    const at = path === '' ? key : `${path}.${key}`;
    const isRequired = (required as readonly Json[]).includes(key);
    return isSaidElsewhere(at)
      ? []
      : [rowOf(at, resolved(member, known), known, isRequired), ...rowsOf(member, at, known)];
  });
  const { items, additionalProperties, anyOf = [] } = schema;
  const list = isObject(items) ? rowsOf(items, `${path}[]`, known) : [];
  const named = isObject(additionalProperties) ? rowsOf(additionalProperties, `${path}.<name>`, known) : [];
  const forms = (anyOf as readonly Json[]).flatMap((form) => rowsOf(form, path, known));
  return [...members, ...list, ...named, ...forms];
}

function membersOf({ properties = {} }: JsonObject): JsonObject {
  const members = properties as JsonObject;
  const [moment] = hookNames;
  return members[moment] === undefined ? members : { '<moment>': members[moment] };
}

function definitionsOf({ definitions = {} }: JsonObject): JsonObject {
  return definitions as JsonObject;
}

function resolved(schema: Json, known: JsonObject): JsonObject {
  const reference = isObject(schema) ? schema['$ref'] : undefined;
  const name = typeof reference === 'string' ? reference.replace('#/definitions/', '') : '';
  const found: Json | undefined = name === '' ? schema : known[name];
  return isObject(found) ? found : {};
}

/** What a plan may say in place of its offering stands with the offering, and a list of parameters with those. */
function isSaidElsewhere(at: string): boolean {
  const word = /^plans\[\]\.(\w+)$/.exec(at)?.[1] ?? '';
  const ownWords = ['id', 'name', 'description', 'metadata', 'bindable', 'plan_updateable', 'extensions'];
  return Object.hasOwn(membersOf(offeringSchema), word) && !ownWords.includes(word);
}

function rowOf(at: string, schema: JsonObject, known: JsonObject, isRequired: boolean): string {
  const missing = isRequired ? 'required' : '';
  return [
    at,
    typeOf(schema, known),
    schema['default'] === undefined ? missing : JSON.stringify(schema['default']),
  ].join(' | ');
}

function typeOf(schema: JsonObject, known: JsonObject): string {
  const { type, title, items, additionalProperties } = schema;
  if (schema['enum'] !== undefined) return (schema['enum'] as string[]).join(', ');
  if (title === 'letters, digits, _ and -, no digit first') return 'name';
  if (typeof title === 'string')
    return title
      .replace(/^(?:an?|the) | such as .*| that is not blank/g, '')
      .replaceAll(/\{\{.*?\}\}/g, '`$&`');
  if (type === 'array') return isObject(items) ? `list of ${typeOf(resolved(items, known), known)}` : 'list';
  if (type === 'object' && isObject(additionalProperties))
    return `${typeOf(resolved(additionalProperties, known), known)} by name`;
  const words = { boolean: 'true or false', integer: 'whole number', string: 'text' };
  return typeof type === 'string'
    ? (Object.entries(words).find(([name]) => name === type)?.[1] ?? type)
    : 'any';
}
