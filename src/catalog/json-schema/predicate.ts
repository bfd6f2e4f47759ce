import type { ErrorObject } from 'ajv';
import { isObject, type Json } from '../../broker/json.ts';

/** The names that lead to the wrong value; of a missing or unknown member, its own name is the last. */
export function pathOf({ instancePath, params, propertyName }: ErrorObject): readonly string[] {
  const parent = instancePath
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  const member: unknown =
    params['missingProperty'] ??
    params['additionalProperty'] ??
    params['unevaluatedProperty'] ??
    propertyName;
  return typeof member === 'string' ? [...parent, member] : parent;
}

export function isMissing({ keyword }: ErrorObject): boolean {
  return keyword === 'required' || keyword === 'dependencies' || keyword === 'dependentRequired';
}

export function isUnknown({ keyword }: ErrorObject): boolean {
  return keyword === 'additionalProperties' || keyword === 'unevaluatedProperties';
}

/** What the value must be, as the rest of a sentence. It repeats the schema, never the value. */
export function predicateOf({ keyword, params, parentSchema }: ErrorObject): string {
  const title =
    isObject(parentSchema) && typeof parentSchema['title'] === 'string' ? parentSchema['title'] : undefined;
  const describe = predicates.get(keyword) ?? (() => 'does not have an allowed form');
  return title !== undefined && titled.has(keyword) ? `must be ${title}` : describe(params);
}

const titled: ReadonlySet<string> = new Set(['pattern', 'anyOf', 'oneOf']);

type Describe = (params: Readonly<Record<string, unknown>>) => string;

const predicates: ReadonlyMap<string, Describe> = new Map<string, Describe>([
  ['type', ({ type }) => `must be ${[type].flat().map(typeWords).join(' or ')}`],
  ['enum', ({ allowedValues }) => `must be one of ${listed([allowedValues].flat())}`],
  ['const', ({ allowedValue }) => `must be ${listed([allowedValue])}`],
  ['minimum', limit],
  ['maximum', limit],
  ['exclusiveMinimum', limit],
  ['exclusiveMaximum', limit],
  ['multipleOf', (params) => `must be a multiple of ${String(params['multipleOf'])}`],
  ['minLength', atLeast('character')],
  ['maxLength', atMost('character')],
  ['minItems', atLeast('item')],
  ['maxItems', atMost('item')],
  ['items', atMost('item')],
  ['additionalItems', atMost('item')],
  ['minProperties', atLeast('member')],
  ['maxProperties', atMost('member')],
  ['uniqueItems', () => 'must not hold the same item twice'],
  ['pattern', ({ pattern }) => `must match the pattern ${String(pattern)}`],
  ['format', ({ format }) => `must have the format ${String(format)}`],
  ['false schema', () => 'is not allowed'],
]);

function typeWords(type: unknown): string {
  const words: Readonly<Record<string, string>> = {
    array: 'a list',
    boolean: 'true or false',
    integer: 'a whole number',
    number: 'a number',
    object: 'an object',
    string: 'a string',
  };
  return words[String(type)] ?? String(type);
}

function limit({ comparison, limit: bound }: Readonly<Record<string, unknown>>): string {
  const words: Readonly<Record<string, string>> = {
    '>=': 'at least',
    '<=': 'at most',
    '>': 'more than',
    '<': 'less than',
  };
  return `must be ${words[String(comparison)] ?? String(comparison)} ${String(bound)}`;
}

function atLeast(thing: string): Describe {
  return ({ limit: bound }) => `must have at least ${counted(bound, thing)}`;
}

function atMost(thing: string): Describe {
  return ({ limit: bound }) => `must have at most ${counted(bound, thing)}`;
}

function counted(count: unknown, thing: string): string {
  return `${String(count)} ${thing}${count === 1 ? '' : 's'}`;
}

const mostListed = 30;

function listed(values: readonly unknown[]): string {
  const words = values
    .slice(0, mostListed)
    .map((value) => (typeof value === 'string' ? value : asJson(value)));
  return words.join(', ') + (values.length > mostListed ? ', ...' : '');
}

function asJson(value: unknown): string {
  return JSON.stringify(value as Json);
}
