import type { ErrorObject } from 'ajv';
import type { Json, JsonObject } from '../../broker/json.ts';
import { placeInFile } from '../form/shape.ts';
import { isMissing, isUnknown, pathOf, predicateOf } from './predicate.ts';
import { isChoice, namesIn, reachOf, targetOf } from './reach.ts';

const mostSentences = 10;
const mostCharacters = 2000;

/**
 * All that is wrong with a user's parameters, in sentences that name each of them and never repeat a value; at
 * most about 2000 characters.
 */
export function sentencesOf(
  errors: readonly ErrorObject[],
  parameters: JsonObject,
  schema: JsonObject,
): string {
  // `if` and `propertyNames` only say that what they point to has failed, which stands before them.
  const told = errors.filter(({ keyword }) => keyword !== 'if' && keyword !== 'propertyNames');
  const all = [...new Set(topics(told, schema).map((topic) => sentenceOf(topic, parameters, schema)))];
  if (all.length === 0) return 'The parameters do not have an allowed form.';
  const shown: string[] = [];
  for (const sentence of all.slice(0, mostSentences)) {
    if (shown.length > 0 && shown.join(' ').length + sentence.length > mostCharacters) break;
    shown.push(cut(sentence, mostCharacters));
  }
  const more = all.length - shown.length;
  return [...shown, ...(more > 0 ? [`And ${more} more.`] : [])].join(' ');
}

/** The names of top-level members that the schema does not know, wherever and whatever else it allows. */
export function unknownNames(errors: readonly ErrorObject[], schema: JsonObject): readonly string[] {
  const direct = new Set(topics(errors, schema).map(({ error }) => error));
  const declared = namesIn(new Set(inPlace(schema, schema)));
  const names = errors
    .filter(({ instancePath }) => !instancePath.includes('/', 1))
    .filter((error) => isOfWholeMember(error))
    .filter((error) => isFinal(error, direct) || !declared.includes(pathOf(error)[0] ?? ''))
    .map((error) => pathOf(error)[0]);
  return [...new Set(names.filter((name) => name !== undefined))];
}

interface Topic {
  readonly error: ErrorObject;
  /** Of a choice: why each of its alternatives does not fit. */
  readonly because: readonly ErrorObject[];
}

/** Of what is wrong within a choice, only the choice is a topic of its own. */
function topics(errors: readonly ErrorObject[], schema: JsonObject): readonly Topic[] {
  const choices = errors.flatMap((error, index) => {
    if (!isChoice(error)) return [];
    const reach = reachOf(error.schema as Json, schema);
    const isInside = (other: ErrorObject, at: number) =>
      at < index && reach.has(other.parentSchema) && other.instancePath.startsWith(error.instancePath);
    return [{ error, because: errors.filter(isInside) }];
  });
  const inside = new Set(choices.flatMap(({ because }) => because));
  return errors
    .filter((error) => !inside.has(error))
    .map((error) => choices.find((choice) => choice.error === error) ?? { error, because: [] });
}

function sentenceOf({ error, because }: Topic, parameters: JsonObject, schema: JsonObject): string {
  const place = placeInFile(pathOf(error), parameters);
  const parameter = `parameter '${cut(place, longestName)}'`;
  if (isUnknown(error)) return `There is no ${parameter}. ${known(error)}`;
  if (isMissing(error)) return `The ${parameter} is required.`;
  const clauses = because
    .filter((inner) => !isChoice(inner) && placeInFile(pathOf(inner), parameters) !== place)
    .map((inner) => clauseOf(sentenceOf({ error: inner, because: [] }, parameters, schema)));
  const why = clauses.length > 0 ? `: ${[...new Set(clauses)].slice(0, mostClauses).join(', or ')}` : '';
  if (place !== '') {
    return `The ${error.propertyName === undefined ? '' : 'name of the '}${parameter} ${predicateOf(error)}${why}.`;
  }
  const about = why === '' ? aboutOf(error, schema) : '';
  return `The parameters ${plural(predicateOf(error))}${why}.${about}`;
}

const mostClauses = 6;
const longestName = 80;

function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}...` : text;
}

function plural(predicate: string): string {
  return predicate.replace(/^does not/, 'do not').replace(/^is /, 'are ');
}

/** `There is no parameter 'c'. None is allowed here.` as a part of a longer sentence. */
function clauseOf(sentence: string): string {
  const [first = ''] = sentence.split(/\.(?: |$)/);
  return `${first.charAt(0).toLowerCase()}${first.slice(1)}`;
}

/** A rule for all parameters together is about those that it names. */
function aboutOf({ schema: rule, parentSchema }: ErrorObject, root: JsonObject): string {
  const own = namesIn(reachOf(rule as Json, root));
  const names = own.length > 0 ? own : Object.keys((parentSchema?.['properties'] ?? {}) as object);
  return names.length > 0 ? ` This is about: ${listed(names)}.` : '';
}

function known({ parentSchema }: ErrorObject): string {
  const names = Object.keys((parentSchema?.['properties'] ?? {}) as object);
  return names.length > 0 ? `There are: ${listed(names)}.` : 'None is allowed here.';
}

const mostListed = 30;

function listed(names: readonly string[]): string {
  return names.slice(0, mostListed).join(', ') + (names.length > mostListed ? ', ...' : '');
}

/** Not only a member's value is wrong, but that it is there. */
function isOfWholeMember(error: ErrorObject): boolean {
  const depth = pathOf(error).length;
  return (
    depth === 1 && (isUnknown(error) || error.propertyName !== undefined || error.keyword === 'false schema')
  );
}

/** Alternatives, and `unevaluatedProperties` beside them, refuse what another alternative would know. */
function isFinal(error: ErrorObject, direct: ReadonlySet<ErrorObject>): boolean {
  return direct.has(error) && error.keyword !== 'unevaluatedProperties';
}

/** The schemas that speak of the value itself, not of its members. */
function* inPlace(schema: Json | undefined, root: JsonObject, seen = new Set<unknown>()): Generator<unknown> {
  for (const part of [schema].flat()) {
    if (typeof part !== 'object' || part === null || seen.has(part)) continue;
    seen.add(part);
    yield part;
    const { allOf, anyOf, oneOf, then, else: otherwise, if: condition } = part as JsonObject;
    for (const inner of [allOf, anyOf, oneOf, then, otherwise, condition]) yield* inPlace(inner, root, seen);
    for (const keyword of ['dependencies', 'dependentSchemas']) {
      yield* inPlace(Object.values((part as JsonObject)[keyword] ?? {}) as Json[], root, seen);
    }
    yield* inPlace(targetOf((part as JsonObject)['$ref'], root), root, seen);
  }
}
