import type { ErrorObject } from 'ajv';
import type { Json } from '../../../broker/json.ts';
import { expressionsIn, positionIn, render } from '../../../broker/template.ts';
import { isUnknown, pathOf } from '../../json-schema/predicate.ts';
import type { PlanView } from '../../form/offering-file.ts';
import type { Finding } from '../../problem.ts';
import { findingsOf, placeInFile, withoutBranches } from '../../form/shape.ts';
import {
  explained,
  type Filled,
  isOpenAt,
  type NeededTypes,
  type Setting,
  typesOf,
  withSamples,
} from './after-rendering.ts';

/**
 * What is wrong with the value that a template becomes, whatever an instance decides in it: with what the plan fixes
 * filled in, and once with each kind of value that the rest may come to.
 * @param errorsOf all that a schema has against a value, verbose
 */
export function findingsAfterRendering(
  { template, ...setting }: Setting & { readonly template: Json },
  view: PlanView,
  errorsOf: (value: Json) => readonly ErrorObject[],
  neededTypes?: NeededTypes,
): readonly Finding[] {
  const filled = fillPlan(template, setting.at, (text) => typesOf(text, view, neededTypes), view);
  const kinds = Math.max(1, ...filled.open.map(({ types }) => types?.length ?? 1));
  return Array.from({ length: kinds }, (_, turn) => {
    const value = withSamples(filled, turn, setting);
    const errors = errorsOf(value);
    const judged = { errors, value, open: filled.open, turn, setting };
    const certain = withoutBranches(errors).filter((error) => !isOpen(error, judged));
    return findingsOf(certain, value, setting.at).map((finding) => explained(finding, filled.open));
  }).flat();
}

type Types = (text: string) => Filled['open'][number]['types'];

function fillPlan(template: Json, at: string, types: Types, view: PlanView): Filled {
  if (typeof template === 'string') return fillString(template, at, types, view);
  if (typeof template !== 'object' || template === null) return { value: template, open: [] };
  const isList = Array.isArray(template);
  const filled = Object.entries(template).map(([key, inner]: [string, Json]) => {
    return [key, fillPlan(inner, positionIn(at, isList ? Number(key) : key), types, view)] as const;
  });
  return {
    value: isList
      ? filled.map(([, { value }]) => value)
      : Object.fromEntries(filled.map(([key, { value }]) => [key, value])),
    open: filled.flatMap(([, { open }]) => open),
  };
}

function fillString(text: string, at: string, types: Types, view: PlanView): Filled {
  const expressions = expressionsIn(text);
  if (expressions.length === 0) return { value: text, open: [] };
  try {
    if (expressions.every(({ path }) => path[0] === 'plan'))
      return { value: render(text, { plan: view.plan.with ?? {} }), open: [] };
  } catch {
    // The check of the templates says what is wrong.
  }
  return { value: text, open: [{ at, text, types: types(text) }] };
}

interface Judged {
  readonly value: Json;
  readonly open: Filled['open'];
  /** Which of the kinds of value stands there. */
  readonly turn: number;
  /** All that a validation has found, the alternatives' own errors too. */
  readonly errors: readonly ErrorObject[];
  readonly setting: Setting;
}

/** An error at an open place, or one of a keyword that looks into a value with an open place in it. */
function isOpen(error: ErrorObject, judged: Judged): boolean {
  // Names are known, whatever the values will be.
  if (error.propertyName !== undefined) return false;
  const at = placeInFile(pathOf(error), judged.value, judged.setting.at);
  // So are members that are not known, unless they are in what an instance will decide.
  if (isUnknown(error) && !judged.open.some((one) => isWithin(at, one.at))) return false;
  const open = judged.open.find((one) => one.at === at);
  if (open) {
    const { turn, setting } = judged;
    return hasAlternatives(error) ? mayFit(error, judged) : isOpenAt(error, open, turn, setting.writesText);
  }
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
