import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { Json, JsonObject } from '../../broker/json.ts';
import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { expressionsIn, mistakesIn, positionIn, render } from '../../broker/template.ts';
import type { OfferingFile, PlanView } from '../form/offering-file.ts';
import { isUnknown, pathOf } from '../json-schema/predicate.ts';
import { didYouMean } from '../form/did-you-mean.ts';
import { type Finding, mistake, warning } from '../problem.ts';
import { findingsOf, placeInFile, withoutBranches } from '../form/shape.ts';
import { explained, type Filled, isOpenAt, typesOf, withSamples } from './after-rendering.ts';

type Traits = Readonly<Record<string, ProvisionerTraits>>;

/** Is there such a provisioner, and does it understand its `config` and the plans' `with`? */
export function provisionerFindings({ provisioner }: OfferingFile, traits: Traits): readonly Finding[] {
  if (Object.hasOwn(traits, provisioner)) return [];
  const known = Object.keys(traits).join(', ') || 'none';
  const hint = didYouMean(provisioner, Object.keys(traits));
  return [mistake('provisioner', `There is no such provisioner.${hint} There are: ${known}.`)];
}

/**
 * Holds `config` against the provisioner's schema, with what the plan fixes filled in. What only an instance
 * will know is not judged.
 */
export function configFindings(offering: OfferingFile, view: PlanView, traits: Traits): readonly Finding[] {
  const rules = findTraits(offering, traits);
  if (!rules) return [];
  const filled = fillSettings(offering.config ?? {}, view, 'config');
  // Once with each kind of value that what is open may come to.
  const kinds = Math.max(1, ...filled.open.map(({ types }) => types?.length ?? 1));
  return Array.from({ length: kinds }, (_, turn) => {
    const value = withSamples(filled, turn);
    const errors = errorsOf(rules.config, value);
    const judged = withoutBranches(errors).filter(
      (error) => !isOpen(error, { errors, value, open: filled.open, turn }),
    );
    return findingsOf(judged, value, 'config').map((finding) => explained(finding, filled.open));
  }).flat();
}

/** Holds a plan's `with` against the provisioner's schema. */
export function settingFindings(
  offering: OfferingFile,
  { plan, at }: PlanView,
  traits: Traits,
): readonly Finding[] {
  const place = positionIn(at, 'with');
  const settings = plan.with ?? {};
  const rules = findTraits(offering, traits)?.settings;
  const hasTemplate = expressionsIn(settings).length > 0 || mistakesIn(settings).length > 0;
  return [
    ...(rules ? findingsOf(errorsOf(rules, settings), settings, place) : []),
    ...(hasTemplate ? [warning(place, 'The braces {{ stay as they are here: a plan fixes values.')] : []),
  ];
}

function findTraits({ provisioner }: OfferingFile, traits: Traits): ProvisionerTraits | undefined {
  return Object.hasOwn(traits, provisioner) ? traits[provisioner] : undefined;
}

const validators = new WeakMap<JsonObject, ValidateFunction>();

function errorsOf(schema: JsonObject, value: Json): readonly ErrorObject[] {
  const ajv = () => new Ajv({ strict: false, allErrors: true, verbose: true, logger: false });
  const validate = validators.get(schema) ?? ajv().compile(schema);
  validators.set(schema, validate);
  validate(value);
  return validate.errors ?? [];
}

function fillSettings(template: Json, view: PlanView, at: string): Filled {
  if (typeof template === 'string') return fillString(template, view, at);
  if (typeof template !== 'object' || template === null) return { value: template, open: [] };
  const isList = Array.isArray(template);
  const filled = Object.entries(template).map(([key, inner]: [string, Json]) => {
    return [key, fillSettings(inner, view, positionIn(at, isList ? Number(key) : key))] as const;
  });
  return {
    value: isList
      ? filled.map(([, { value }]) => value)
      : Object.fromEntries(filled.map(([key, { value }]) => [key, value])),
    open: filled.flatMap(([, { open }]) => open),
  };
}

function fillString(text: string, view: PlanView, at: string): Filled {
  const expressions = expressionsIn(text);
  if (expressions.length === 0) return { value: text, open: [] };
  try {
    if (expressions.every(({ path }) => path[0] === 'plan'))
      return { value: render(text, { plan: view.plan.with ?? {} }), open: [] };
  } catch {
    // The check of the templates says what is wrong.
  }
  return { value: text, open: [{ at, text, types: typesOf(text, view) }] };
}

interface Judged {
  readonly value: Json;
  readonly open: Filled['open'];
  /** Which of the kinds of value stands there. */
  readonly turn: number;
  /** All that a validation has found, the alternatives' own errors too. */
  readonly errors: readonly ErrorObject[];
}

/** An error at an open place, or one of a keyword that looks into a value with an open place in it. */
function isOpen(error: ErrorObject, judged: Judged): boolean {
  // Names are known, whatever the values will be.
  if (error.propertyName !== undefined) return false;
  const at = placeInFile(pathOf(error), judged.value, 'config');
  // So are members that are not known, unless they are in what an instance will decide.
  if (isUnknown(error) && !judged.open.some((one) => isWithin(at, one.at))) return false;
  const open = judged.open.find((one) => one.at === at);
  if (open) return hasAlternatives(error) ? mayFit(error, judged) : isOpenAt(error, open, judged.turn);
  // Nothing is known of what is inside a value that an instance will decide.
  if (judged.open.some((one) => isWithin(at, one.at))) return true;
  if (!judged.open.some((one) => one.at.startsWith(at))) return false;
  return hasAlternatives(error) ? mayFit(error, judged) : looksInside.has(error.keyword);
}

function hasAlternatives({ keyword, params }: ErrorObject): boolean {
  // With oneOf, two that fit are an error as well.
  return keyword === 'anyOf' || (keyword === 'oneOf' && !Array.isArray(params['passingSchemas']));
}

/** Is there an alternative that only open places keep from fitting? */
function mayFit({ schema, schemaPath, instancePath }: ErrorObject, judged: Judged): boolean {
  const alternatives: readonly unknown[] = Array.isArray(schema) ? schema : [];
  return alternatives.some((_, index) =>
    judged.errors
      .filter((error) => error.schemaPath.startsWith(`${schemaPath}/${index}/`))
      .filter((error) => `${error.instancePath}/`.startsWith(`${instancePath}/`))
      .every((error) => isOpen(error, judged)),
  );
}

function isWithin(at: string, place: string): boolean {
  return at.startsWith(place) && ['.', '['].includes(at.charAt(place.length));
}

const looksInside: ReadonlySet<string> = new Set([
  'const',
  'contains',
  'enum',
  'if',
  'not',
  'oneOf',
  'uniqueItems',
]);
