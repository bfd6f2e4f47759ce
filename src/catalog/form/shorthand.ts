import { type JsonObject, jsonOf } from '../../broker/json.ts';
import type { PerPlan, SchemasFile } from './offering-file.ts';

/** The `schemas` of a plan: as written, or what its `parameters` stand for. */
export function schemasOf({ parameters, schemas }: PerPlan): SchemasFile | undefined {
  if (parameters === undefined) return schemas;
  const required = Object.keys(parameters).filter((name) => parameters[name]?.['default'] === undefined);
  return {
    service_instance: {
      create: { parameters: schemaOf(parameters, required) },
      // A default would tell a platform to set what the user left alone.
      update: { parameters: schemaOf(withoutDefaults(parameters), []) },
    },
  };
}

/** The values of parameters that the user leaves out. */
export function defaultsOf({ parameters, schemas }: PerPlan): JsonObject {
  const properties = parameters ?? schemas?.service_instance?.create?.parameters?.['properties'] ?? {};
  const defaults = Object.entries(properties).map(([name, rule]: [string, unknown]) => [
    name,
    defaultOf(rule),
  ]);
  return Object.fromEntries(defaults.filter(([, value]) => value !== undefined)) as JsonObject;
}

/** Draft 04, since every platform understands it; it does not allow an empty `required`. */
function schemaOf(properties: JsonObject, required: readonly string[]): JsonObject {
  return jsonOf({
    $schema: 'http://json-schema.org/draft-04/schema#',
    type: 'object',
    additionalProperties: false,
    properties,
    required: required.length > 0 ? required : undefined,
  });
}

function withoutDefaults(parameters: Readonly<Record<string, JsonObject>>): JsonObject {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { default: _left, ...rule }]) => [name, rule as JsonObject]),
  );
}

function defaultOf(rule: unknown): unknown {
  return typeof rule === 'object' && rule !== null && Object.hasOwn(rule, 'default')
    ? Reflect.get(rule, 'default')
    : undefined;
}
