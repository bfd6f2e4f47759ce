import type { ErrorObject } from 'ajv';
import { canonicalJson, isObject, type Json, type JsonObject, sameJson } from '../broker/json.ts';
import { targetOf } from './json-schema/reach.ts';

/** What a schema of this program has against a value: everything, with what it was about. */
export type Judge = (value: Json) => readonly ErrorObject[];

/**
 * Holds values against a schema that is written in this program: JSON Schema, draft 7, with the keywords below. It says
 * what Ajv says, which would make a third of a megabyte of code of the offering file's schema first. Holding these
 * schemas against the rules for schemas is a matter of the tests.
 */
export function ownSchema(root: JsonObject): Judge {
  return (value) => errorsOf(root, { root, value, instancePath: '', schemaPath: '#' });
}

/** A value, and where it and the schema that it is held against stand. */
interface Place {
  readonly root: JsonObject;
  readonly value: Json;
  readonly instancePath: string;
  readonly schemaPath: string;
  readonly propertyName?: string | undefined;
}

type Errors = readonly ErrorObject[];

/** Makes an error of the keyword. */
type Fail = (params: ErrorObject['params']) => ErrorObject;

/** @param wanted what the schema says with it */
type Keyword = (wanted: Json, place: Place, fail: Fail, schema: JsonObject) => Errors;

function errorsOf(schema: Json | undefined, place: Place): Errors {
  if (schema === true) return [];
  if (!isObject(schema)) throw new Error(`There is no schema at ${place.schemaPath}.`);
  return Object.entries(schema).flatMap(([keyword, wanted]) => {
    const judge = Object.hasOwn(keywords, keyword) ? keywords[keyword] : undefined;
    if (!judge) throw new Error(`The schemas of this program do not use ${keyword}.`);
    const { value: data, instancePath, propertyName } = place;
    const inKeyword = { ...place, schemaPath: `${place.schemaPath}/${keyword}` };
    const { schemaPath } = inKeyword;
    const about = {
      keyword,
      instancePath,
      schemaPath,
      propertyName,
      schema: wanted,
      parentSchema: schema,
      data,
    };
    return judge(wanted, inKeyword, (params) => ({ ...about, params }), schema);
  });
}

const keywords: Readonly<Record<string, Keyword>> = {
  title: () => [],
  description: () => [],
  default: () => [],
  definitions: () => [],

  type: (type, { value }, fail) => ([type].flat().some((name) => isOf(value, name)) ? [] : [fail({ type })]),
  enum: (allowedValues, { value }, fail) =>
    (allowedValues as readonly Json[]).some((one) => sameJson(one, value)) ? [] : [fail({ allowedValues })],

  minimum: limited(numberOf, '>='),
  maximum: limited(numberOf, '<='),
  exclusiveMinimum: limited(numberOf, '>'),
  minLength: limited(lengthOf, '>='),
  maxLength: limited(lengthOf, '<='),
  minItems: limited(countOf, '>='),
  minProperties: limited(membersCountOf, '>='),

  pattern: (pattern, { value }, fail) =>
    typeof value !== 'string' || expression(pattern as string).test(value) ? [] : [fail({ pattern })],

  items: (schema, place) =>
    itemsOf(place.value).flatMap((item, index) => errorsOf(schema, inside(place, index, item))),
  uniqueItems: (_, { value }, fail) => {
    const texts = itemsOf(value).map(canonicalJson);
    return new Set(texts).size === texts.length ? [] : [fail({})];
  },

  properties: (schemas, place) =>
    membersOf(place.value).flatMap(([name, value]) => {
      const schema = memberOf(schemas, name);
      return schema === undefined ? [] : errorsOf(schema, inside(at(place, name), name, value));
    }),
  additionalProperties: (schema, place, fail, { properties }) =>
    membersOf(place.value)
      .filter(([name]) => memberOf(properties, name) === undefined)
      .flatMap(([name, value]) =>
        schema === false
          ? [fail({ additionalProperty: name })]
          : errorsOf(schema, inside(place, name, value)),
      ),
  propertyNames: (schema, place, fail) =>
    membersOf(place.value).flatMap(([propertyName]) => {
      const errors = errorsOf(schema, { ...place, value: propertyName, propertyName });
      return errors.length === 0 ? [] : [...errors, fail({ propertyName })];
    }),
  required: (names, { value }, fail) =>
    missing(names, value).map((missingProperty) => fail({ missingProperty })),
  dependencies: (needs, place, fail) =>
    membersOf(needs)
      .filter(([name]) => memberOf(place.value, name) !== undefined)
      .flatMap(([name, need]) =>
        Array.isArray(need)
          ? missing(need, place.value).map((missingProperty) => fail({ property: name, missingProperty }))
          : errorsOf(need, at(place, name)),
      ),

  $ref: (reference, place) => errorsOf(targetOf(reference, place.root), place),
  anyOf: (schemas, place, fail) => {
    const errors = branches(schemas, place);
    return errors.some((branch) => branch.length === 0) ? [] : [...errors.flat(), fail({})];
  },
  oneOf: (schemas, place, fail) => {
    const errors = branches(schemas, place);
    const [first, second] = [...errors.keys()].filter((index) => errors[index]?.length === 0);
    if (first !== undefined && second === undefined) return [];
    return [...errors.flat(), fail({ passingSchemas: first === undefined ? null : [first, second] })];
  },
  not: (schema, place, fail) => (errorsOf(schema, place).length === 0 ? [fail({})] : []),
};

function isOf(value: Json, type: Json): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isObject(value);
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'number') return Number.isFinite(value);
  return type === 'null' ? value === null : typeof value === type;
}

function limited(sizeOf: (value: Json) => number | undefined, comparison: '<=' | '>=' | '>'): Keyword {
  return (limit, { value }, fail) => {
    const size = sizeOf(value);
    const bound = Number(limit);
    if (size === undefined || (comparison === '<=' ? size <= bound : size > bound)) return [];
    if (comparison === '>=' && size === bound) return [];
    return [fail(sizeOf === numberOf ? { comparison, limit } : { limit })];
  };
}

function numberOf(value: Json): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** In characters, of which some take two places of a string. */
function lengthOf(value: Json): number | undefined {
  return typeof value === 'string' ? Array.from(value).length : undefined;
}

function countOf(value: Json): number | undefined {
  return Array.isArray(value) ? value.length : undefined;
}

function membersCountOf(value: Json): number | undefined {
  return isObject(value) ? Object.keys(value).length : undefined;
}

function itemsOf(value: Json): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function membersOf(value: Json): readonly (readonly [string, Json])[] {
  return isObject(value) ? Object.entries(value).filter(([, inner]) => (inner as unknown) !== undefined) : [];
}

function memberOf(value: Json | undefined, name: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

function missing(names: Json, value: Json): readonly string[] {
  if (!isObject(value)) return [];
  return (names as readonly string[]).filter((name) => memberOf(value, name) === undefined);
}

function branches(schemas: Json, place: Place): readonly Errors[] {
  return (schemas as readonly Json[]).map((schema, index) => errorsOf(schema, at(place, index)));
}

/** Further into the schema. */
function at(place: Place, step: string | number): Place {
  return { ...place, schemaPath: `${place.schemaPath}/${escaped(step)}` };
}

/** Further into the value, whose name is then no longer in question. */
function inside(place: Place, step: string | number, value: Json): Place {
  return { ...place, instancePath: `${place.instancePath}/${escaped(step)}`, value, propertyName: undefined };
}

function escaped(step: string | number): string {
  return String(step).replaceAll('~', '~0').replaceAll('/', '~1');
}

const expressions = new Map<string, RegExp>();

function expression(pattern: string): RegExp {
  const made = expressions.get(pattern) ?? new RegExp(pattern, 'u');
  expressions.set(pattern, made);
  return made;
}
