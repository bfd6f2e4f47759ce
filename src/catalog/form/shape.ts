import type { ErrorObject } from 'ajv';
import type { Json, JsonObject } from '../../broker/json.ts';
import { positionIn } from '../../broker/template.ts';
import { isMissing, isUnknown, pathOf, predicateOf } from '../json-schema/predicate.ts';
import { didYouMean } from './did-you-mean.ts';
import { type Finding, mistake, warning } from '../problem.ts';
import { ownSchema } from '../own-schema.ts';
import { offeringSchema } from './schema.ts';

export interface SchemaShape {
  readonly findings: readonly Finding[];
  /** The words with a wrong or missing value (`credentials`, `plans.with`), which no further check can read. */
  readonly spoiled: ReadonlySet<string>;
}

/** Everything in which the file does not have the form of an offering. */
export function shapeOf(offering: JsonObject): SchemaShape {
  const all = judge(offering);
  const errors = all.filter((error) => !isTolerated(error));
  const tolerated = findingsOf(all.filter(isTolerated), offering).map(({ path, reason }) =>
    warning(path, path.endsWith('shareable') ? `${reason} Cloud Controller refuses the catalog.` : reason),
  );
  return {
    findings: [...findingsOf(errors, offering), ...tolerated],
    spoiled: new Set(errors.map((error) => wordOf(pathOf(error)))),
  };
}

/**
 * Display metadata is free by the specification, and its keys have conventions. Members that the specification does
 * not know are ignored by platforms, so beside a client's login or around a schema they do no harm.
 */
function isTolerated(error: ErrorObject): boolean {
  const path = error.instancePath.replace(/^\/plans\/\d+/, '');
  if (path.startsWith('/metadata/')) return true;
  return isUnknown(error) && (path === '/dashboard_client' || /^\/schemas(?:\/|$)/.test(path));
}

/** The errors of a validation as findings about the places of a file. */
export function findingsOf(errors: readonly ErrorObject[], data: Json, at = ''): readonly Finding[] {
  return withoutBranches(errors).map((error) =>
    mistake(placeInFile(pathOf(error), data, at), reasonOf(error)),
  );
}

/** The place that a path of names leads to, with list positions as such. */
export function placeInFile(path: readonly string[], data: Json, at = ''): string {
  let place = at;
  let value: unknown = data;
  for (const name of path) {
    place = positionIn(place, Array.isArray(value) ? Number(name) : name);
    value = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
  }
  return place;
}

const judge = ownSchema(offeringSchema);

function wordOf([word = '', , planWord]: readonly string[]): string {
  return word === 'plans' && planWord !== undefined ? `plans.${planWord}` : word;
}

function reasonOf(error: ErrorObject): string {
  if (isMissing(error)) return 'The key is missing.';
  if (isUnknown(error)) return noSuchKey(error);
  if (error.propertyName !== undefined) return `The name ${predicateOf(error)}.`;
  const hint = wantsQuotes(error) ? ' Put it in quotes.' : nearestValue(error);
  return `The value ${predicateOf(error)}.${hint}`;
}

function noSuchKey(error: ErrorObject): string {
  const keys = knownKeys(error);
  const hint = didYouMean(pathOf(error).at(-1) ?? '', keys);
  // Only offerings and plans have it: theirs is what a vendor adds something to.
  const door =
    hint === '' && keys.includes('extensions') ? ' What a vendor adds stands below extensions.' : '';
  return `There is no such key here.${hint}${door} There are: ${keys.join(', ')}.`;
}

/** Of a closed list. */
function nearestValue({ keyword, params, data }: ErrorObject): string {
  const values: unknown = params['allowedValues'];
  if (keyword !== 'enum' || typeof data !== 'string' || !Array.isArray(values)) return '';
  return didYouMean(
    data,
    values.filter((value) => typeof value === 'string'),
  );
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
