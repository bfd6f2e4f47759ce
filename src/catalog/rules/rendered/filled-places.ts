import type { Json } from '../../../broker/json.ts';
import type { ProvisionerTraits } from '../../../broker/provisioner.ts';
import { type Expression, expressionsIn, findValue, positionIn } from '../../../broker/template.ts';
import type { PlanView } from '../../form/offering-file.ts';
import { type Finding, mistake } from '../../problem.ts';
import { type NeededTypes, typesOf } from './after-rendering.ts';
import { typeNameOf, type TypeName } from './types-at.ts';

/**
 * Templates of `config` that the provisioner would not fill, or could not write where it fills texts only. The schema
 * cannot tell: it sees what a template comes to, not whether anybody makes that of it.
 */
export function filledPlaceFindings(
  config: Json,
  view: PlanView,
  { fills }: ProvisionerTraits,
  neededTypes?: NeededTypes,
): readonly Finding[] {
  if (!fills) return [];
  return textsIn(config, [], 'config').flatMap(({ text, path, at }) => {
    if (expressionsIn(text).length === 0) return [];
    const found = Object.entries(fills).find(([place]) => isPlace(place, path));
    if (!found || found[1] === 'none') return [mistake(at, unfilled)];
    const nested = found[1] === 'text' ? nestedIn(text, view, neededTypes) : [];
    return nested.length > 0
      ? [mistake(at, `${scalar} This template may come to ${nested.join(', ')}.`)]
      : [];
  });
}

const unfilled = 'No template is filled here: what stands here is the same for every instance.';
const scalar = 'The value must be a text, number or boolean.';

/** The kinds of value that cannot be written into text, of those that this may come to. */
function nestedIn(text: string, view: PlanView, neededTypes?: NeededTypes): readonly TypeName[] {
  const types = fixedTypes(text, view) ?? typesOf(text, view, neededTypes) ?? [];
  return types.filter((type) => type === 'array' || type === 'object' || type === 'null');
}

/** Of a text that is nothing but what the plan fixes. */
function fixedTypes(text: string, { plan }: PlanView): readonly TypeName[] | undefined {
  const [first]: readonly Expression[] = expressionsIn(text);
  if (!first?.alone || first.filter !== undefined || first.path[0] !== 'plan') return undefined;
  const value = findValue(first.path, { plan: plan.with ?? {} });
  return value === undefined ? undefined : [typeNameOf(value)];
}

/** @param place names with `*` for any one, and `**` for any at its end: `files.*.content` */
function isPlace(place: string, path: readonly string[]): boolean {
  const names = place.split('.');
  if (names.at(-1) === '**')
    return (
      path.length >= names.length && isPlace(names.slice(0, -1).join('.'), path.slice(0, names.length - 1))
    );
  return names.length === path.length && names.every((name, index) => name === '*' || name === path[index]);
}

interface TextAt {
  readonly text: string;
  readonly path: readonly string[];
  readonly at: string;
}

function textsIn(value: Json, path: readonly string[], at: string): readonly TextAt[] {
  if (typeof value === 'string') return [{ text: value, path, at }];
  if (typeof value !== 'object' || value === null) return [];
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([key, inner]: [string, Json]) =>
    textsIn(inner, [...path, key], positionIn(at, isList ? Number(key) : key)),
  );
}
