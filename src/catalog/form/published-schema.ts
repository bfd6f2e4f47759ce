import { isObject, type Json, type JsonObject } from '../../broker/json.ts';
import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { described, type Meanings } from './described.ts';
import { offeringMeanings } from './meanings/offering.ts';
import { offeringSchema } from './schema.ts';

/**
 * The form of an offering file for editors: JSON Schema, draft 7, with the form of `config` and `with` that each
 * provisioner has, and what each key means. What stands for a number, a list or the like may be a template.
 */
export function publishedSchema(traits: Readonly<Record<string, ProvisionerTraits>>): JsonObject {
  const offering = described(
    offeringSchema,
    Object.assign({}, ...Object.values(offeringMeanings)) as Meanings,
  );
  const provisioners = Object.entries(traits).map(([name, { config, meanings = {} }]) => {
    return [name, { config: described(config, meanings, 'config') }] as const;
  });
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'An offering file of Purveyor',
    ...offering,
    properties: {
      ...(offering['properties'] as JsonObject),
      provisioner: { type: 'string', enum: provisioners.map(([name]) => name) },
    },
    allOf: provisioners.map(([name, { config }]) => ({
      if: { properties: { provisioner: { not: { const: name } } } },
      else: { properties: { config: within(name, withoutDefinitions(config)) } },
    })),
    definitions: Object.assign(
      { template: { type: 'string', pattern: '\\{\\{.*\\}\\}' } },
      offering['definitions'],
      ...provisioners.map(([name, { config }]) => definitionsOf(name, config)),
    ) as JsonObject,
  };
}

/** Definitions of all provisioners stand in one list: their names begin with the provisioner's. */
function definitionsOf(name: string, { definitions }: JsonObject): JsonObject {
  if (!isObject(definitions)) return {};
  return Object.fromEntries(
    Object.entries(definitions).map(([key, schema]) => [`${name}.${key}`, orTemplate(within(name, schema))]),
  );
}

function withoutDefinitions({ definitions: _elsewhere, ...rest }: JsonObject): JsonObject {
  return rest;
}

/** The members of a schema that hold schemas themselves, one or by name. */
const holders: ReadonlySet<string> = new Set(['items', 'additionalProperties', 'not', 'if', 'then', 'else']);
const lists: ReadonlySet<string> = new Set(['anyOf', 'allOf', 'oneOf']);

/** The schema with its references moved, and a template allowed for each value inside it. */
function within(name: string, schema: Json): Json {
  if (!isObject(schema)) return schema;
  const entries = Object.entries(schema).map(([keyword, value]): [string, Json] => {
    if (keyword === '$ref' && typeof value === 'string')
      return [keyword, value.replace('#/definitions/', `#/definitions/${name}.`)];
    if (keyword === 'properties' && isObject(value)) {
      return [
        keyword,
        Object.fromEntries(Object.entries(value).map(([key, one]) => [key, orTemplate(within(name, one))])),
      ];
    }
    if (lists.has(keyword) && Array.isArray(value)) {
      return [keyword, value.map((one: Json) => within(name, one))];
    }
    return [keyword, holders.has(keyword) ? orTemplate(within(name, value)) : value];
  });
  return Object.fromEntries(entries);
}

function orTemplate(schema: Json): Json {
  if (!isObject(schema) || schema['type'] === undefined || schema['type'] === 'object') return schema;
  const types = [schema['type']].flat();
  const isAnyText = types.includes('string') && schema['pattern'] === undefined && !('enum' in schema);
  if (isAnyText) return schema;
  const { description, ...rest } = schema;
  const both = { anyOf: [rest, { $ref: '#/definitions/template' }] };
  return description === undefined ? both : { ...both, description };
}
