import { isObject, type Json, type JsonObject } from '../../src/broker/json.ts';
import type { Meanings } from '../../src/catalog/form/described.ts';
import { offeringMeanings } from '../../src/catalog/form/meanings/offering.ts';
import { offeringSchema } from '../../src/catalog/form/schema.ts';
import { hookNames } from '../../src/catalog/form/schema-words.ts';
import { shippedTraits } from '../../src/program/shipped.ts';

/** The tables of keys in docs/offering-file.md, made from the schemas and from what the sources say that keys mean. */

/** Type and default of a key. */
type Form = readonly [type: string, standard: string];

/** A schema, and what its keys mean, in the order of the tables. */
export interface Explained {
  readonly forms: ReadonlyMap<string, Form>;
  readonly meanings: Meanings;
}

/** By the names of the tables; the tables of an offering's keys are one schema's. */
export function explainedKeys(): ReadonlyMap<string, Explained> {
  const offering = formsOf(offeringSchema, '');
  const provisioners = Object.entries(shippedTraits());
  return new Map([
    ...Object.entries(offeringMeanings).map(([name, meanings]): [string, Explained] => [
      name,
      { forms: offering, meanings },
    ]),
    ...provisioners.map(([name, { config, meanings = {} }]): [string, Explained] => [
      name,
      { forms: formsOf(config, 'config'), meanings },
    ]),
  ]);
}

/** The page with each table between `<!-- keys: NAME -->` and `<!-- end of keys -->` as it must be. */
export function withKeyTables(page: string): string {
  const known = explainedKeys();
  return page.replaceAll(
    /(<!-- keys: (\w+) -->\n\n)[^]*?(\n\n<!-- end of keys -->)/g,
    (_, begin: string, name: string, end: string) => {
      const explained = known.get(name);
      if (!explained) throw new Error(`There is no table of keys '${name}'.`);
      return `${begin}${tableOf(explained)}${end}`;
    },
  );
}

function tableOf({ forms, meanings }: Explained): string {
  const rows = Object.entries(meanings).map(([key, meaning]) => {
    const [type = '', standard = ''] = forms.get(key) ?? [];
    return [`\`${key}\``, type, standard, meaning];
  });
  const all = [['key', 'type', 'default', 'meaning'], ...rows];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[], filling = ' ') =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, filling)).join(' | ')} |`;
  const [head = [], ...body] = all;
  return [line(head), line(['', '', '', ''], '-'), ...body.map((row) => line(row))].join('\n');
}

/** Everything in a schema that has a name of its own. */
function formsOf(schema: JsonObject, path: string): ReadonlyMap<string, Form> {
  const { definitions } = schema;
  return new Map(entriesOf(schema, path, isObject(definitions) ? definitions : {}));
}

function entriesOf(given: Json, path: string, known: JsonObject): readonly [string, Form][] {
  // The items of a parameter are parameters again.
  if (path.endsWith('.items')) return [];
  const schema = resolved(given, known);
  const required: Json = schema['required'] ?? [];
  const members = Object.entries(membersOf(schema)).flatMap(([key, member]): [string, Form][] => {
    const at = path === '' ? key : `${path}.${key}`;
    const isRequired = (required as readonly Json[]).includes(key);
    return isSaidElsewhere(at)
      ? []
      : [[at, formOf(resolved(member, known), known, isRequired)], ...entriesOf(member, at, known)];
  });
  const { items, additionalProperties, anyOf = [] } = schema;
  const list = isObject(items) ? entriesOf(items, `${path}[]`, known) : [];
  const named = isObject(additionalProperties)
    ? entriesOf(additionalProperties, `${path}.<name>`, known)
    : [];
  const forms = (anyOf as readonly Json[]).flatMap((form) => entriesOf(form, path, known));
  return [...members, ...list, ...named, ...forms];
}

function membersOf({ properties = {} }: JsonObject): JsonObject {
  const members = properties as JsonObject;
  const [moment] = hookNames;
  return members[moment] === undefined ? members : { '<moment>': members[moment] };
}

function resolved(schema: Json, known: JsonObject): JsonObject {
  const reference = isObject(schema) ? schema['$ref'] : undefined;
  const name = typeof reference === 'string' ? reference.replace('#/definitions/', '') : '';
  const found: Json | undefined = name === '' ? schema : known[name];
  return isObject(found) ? found : {};
}

/** What a plan may say in place of its offering stands with the offering, and what a parameter may say with those. */
function isSaidElsewhere(at: string): boolean {
  const word = /^plans\[\]\.(\w+)$/.exec(at)?.[1] ?? '';
  const ownWords = ['id', 'name', 'description', 'metadata', 'bindable', 'plan_updateable', 'extensions'];
  const isOfParameter = at.startsWith('actions.<name>.parameters.<name>.');
  return isOfParameter || (Object.hasOwn(membersOf(offeringSchema), word) && !ownWords.includes(word));
}

function formOf(schema: JsonObject, known: JsonObject, isRequired: boolean): Form {
  const missing = isRequired ? 'required' : '';
  return [
    typeOf(schema, known),
    schema['default'] === undefined ? missing : JSON.stringify(schema['default']),
  ];
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
