import { Ajv, type ErrorObject } from 'ajv';
import type { Json, JsonObject } from '../broker/json.ts';
import { placeIn } from '../broker/template.ts';
import { isMissing, isUnknown, pathOf, predicateOf } from './json-schema/predicate.ts';
import { type Finding, mistake } from './problem.ts';
import { offeringSchema } from './schema.ts';

export interface Shape {
  readonly findings: readonly Finding[];
  /** The words with a wrong or missing value (`credentials`, `plans.with`), which no further check can read. */
  readonly spoiled: ReadonlySet<string>;
}

/** Everything in which the file does not have the form of an offering. */
export function shapeOf(offering: JsonObject): Shape {
  validate(offering);
  const errors = validate.errors ?? [];
  return {
    findings: findingsOf(errors, offering),
    spoiled: new Set(errors.map((error) => wordOf(pathOf(error)))),
  };
}

/** The errors of a validation as findings about the places of a file. */
export function findingsOf(errors: readonly ErrorObject[], data: Json, at = ''): readonly Finding[] {
  return withoutBranches(errors).map((error) => mistake(placeOf(pathOf(error), data, at), reasonOf(error)));
}

/** The place that a path of names leads to, with list positions as such. */
export function placeOf(path: readonly string[], data: Json, at = ''): string {
  let place = at;
  let value: unknown = data;
  for (const name of path) {
    place = placeIn(place, Array.isArray(value) ? Number(name) : name);
    value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  }
  return place;
}

const validate = new Ajv({ allErrors: true, verbose: true, allowUnionTypes: true }).compile(offeringSchema);

function wordOf([word = '', , planWord]: readonly string[]): string {
  return word === 'plans' && planWord !== undefined ? `plans.${planWord}` : word;
}

function reasonOf(error: ErrorObject): string {
  if (isMissing(error)) return 'The key is missing.';
  if (isUnknown(error)) return `There is no such key here. There are: ${knownKeys(error).join(', ')}.`;
  if (error.propertyName !== undefined) return `The name ${predicateOf(error)}.`;
  const hint = wantsQuotes(error) ? ' Put it in quotes.' : '';
  return `The value ${predicateOf(error)}.${hint}`;
}

function knownKeys({ parentSchema }: ErrorObject): readonly string[] {
  return Object.keys((parentSchema?.['properties'] ?? {}) as object);
}

/** YAML takes an unquoted 1.0, yes or 007 for something else than text. */
function wantsQuotes({ keyword, params, data }: ErrorObject): boolean {
  return keyword === 'type' && params['type'] === 'string' && ['number', 'boolean'].includes(typeof data);
}

/** Of alternatives only the summary is told, not why each of them does not fit. */
export function withoutBranches(errors: readonly ErrorObject[]): readonly ErrorObject[] {
  const summaries = errors.filter(({ keyword }) => keyword === 'anyOf' || keyword === 'oneOf');
  return errors.filter(
    (error) =>
      error.keyword !== 'propertyNames' &&
      (summaries.includes(error) ||
        !summaries.some(({ instancePath }) => `${error.instancePath}/`.startsWith(`${instancePath}/`))),
  );
}
