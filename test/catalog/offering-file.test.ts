import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, type Json, type JsonObject } from '../../src/broker/json.ts';
import { filterNames } from '../../src/broker/template.ts';
import { offeringSchema } from '../../src/catalog/schema.ts';
import { hookNames } from '../../src/catalog/schema-words.ts';
import { loaded } from './folder.ts';

/** The guide for service authors says what the schema says. */

const guide = readFileSync(join(import.meta.dirname, '../../docs/offering-file.md'), 'utf8');

test('Every key of the schema has its row, with its type and default, and no row has another key.', () => {
  const rows = [...guide.matchAll(/^\| `([^`]+)` *\| ([^|]+?) *\| ([^|]*?) *\| \S/gm)];
  expect(rows.map(([, ...cells]) => cells.join(' | ')).toSorted()).toEqual(
    rowsOf(offeringSchema, '').toSorted(),
  );
});

test.each<[table: string, names: readonly string[]]>([
  ['moment', hookNames],
  ['filter', filterNames],
  ['root', ['params', 'plan', 'secrets', 'instance', 'binding', 'broker']],
])('Every %s is explained.', (table, names) => {
  const [, body = ''] = new RegExp(`^\\| ${table} .*\n\\| -.*\n((?:\\|.*\n)*)`, 'm').exec(guide) ?? [];
  expect([...body.matchAll(/^\| (\w+)/gm)].map(([, name]) => name)).toEqual([...names]);
});

test('The examples are offering files without any problem.', async () => {
  const examples = [...guide.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text);
  const files = examples.filter((text) => /^provisioner:/m.test(text));
  expect(files.length).toBeGreaterThan(0);
  const { lines } = await loaded(Object.fromEntries(files.map((text, index) => [`${index}.yaml`, text])));
  expect(lines).toEqual([]);
});

/** `key | type | default` of everything in a schema that has a name of its own. */
function rowsOf(given: Json, path: string): string[] {
  // The items of a parameter are parameters again.
  if (path.endsWith('.items')) return [];
  const schema = resolved(given);
  const required: Json = schema['required'] ?? [];
  const members = Object.entries(membersOf(schema)).flatMap(([key, member]) => {
    const at = path === '' ? key : `${path}.${key}`;
    const isRequired = (required as readonly Json[]).includes(key);
    return isSaidElsewhere(at) ? [] : [rowOf(at, resolved(member), isRequired), ...rowsOf(member, at)];
  });
  const { items, additionalProperties } = schema;
  const list = isObject(items) ? rowsOf(items, `${path}[]`) : [];
  const named = isObject(additionalProperties) ? rowsOf(additionalProperties, `${path}.<name>`) : [];
  return [...members, ...list, ...named];
}

function membersOf({ properties = {} }: JsonObject): JsonObject {
  const members = properties as JsonObject;
  const [moment] = hookNames;
  return members[moment] === undefined ? members : { '<moment>': members[moment] };
}

function resolved(schema: Json): JsonObject {
  const reference = isObject(schema) ? schema['$ref'] : undefined;
  const name = typeof reference === 'string' ? reference.replace('#/definitions/', '') : '';
  const found: Json | undefined = name === '' ? schema : (offeringSchema.definitions as JsonObject)[name];
  return isObject(found) ? found : {};
}

/** What a plan may say in place of its offering stands with the offering, and a list of parameters with those. */
function isSaidElsewhere(at: string): boolean {
  const word = /^plans\[\]\.(\w+)$/.exec(at)?.[1] ?? '';
  const ownWords = ['id', 'name', 'description', 'metadata', 'bindable', 'plan_updateable'];
  return Object.hasOwn(membersOf(offeringSchema), word) && !ownWords.includes(word);
}

function rowOf(at: string, schema: JsonObject, isRequired: boolean): string {
  const missing = isRequired ? 'required' : '';
  return [
    at,
    typeOf(schema),
    schema['default'] === undefined ? missing : JSON.stringify(schema['default']),
  ].join(' | ');
}

function typeOf(schema: JsonObject): string {
  const { type, title, items, additionalProperties } = schema;
  if (schema['enum'] !== undefined) return (schema['enum'] as string[]).join(', ');
  if (typeof title === 'string') return title.replace(/^an? | such as .*| that is not blank/g, '');
  if (type === 'array') return isObject(items) ? `list of ${typeOf(resolved(items))}` : 'list';
  if (type === 'object' && isObject(additionalProperties))
    return `${typeOf(resolved(additionalProperties))} by name`;
  const words = { boolean: 'true or false', integer: 'whole number', string: 'text' };
  return typeof type === 'string'
    ? (Object.entries(words).find(([name]) => name === type)?.[1] ?? type)
    : 'any';
}
