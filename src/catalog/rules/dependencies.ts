import type { Json } from '../../broker/json.ts';
import {
  type Expression,
  expressionsIn,
  expressionText,
  findValue,
  positionIn,
} from '../../broker/template.ts';
import { namedCredentials } from '../credential-names.ts';
import { type DependencyEntry, type OfferingFile, type PlanView, planViews } from '../form/offering-file.ts';
import { didYouMean } from '../form/did-you-mean.ts';
import { type Finding, mistake } from '../problem.ts';
import { type TemplatePosition, placeWithin, templatePlaces } from './places.ts';
import { isOnCommandLine } from './use.ts';

/** What an offering needs of another one, and the plans that may meet the need. */
export interface DependencyView {
  readonly offering: OfferingFile;
  readonly name: string;
  readonly need: DependencyEntry;
  readonly at: string;
  readonly needed: OfferingFile;
  /** Those of `needed` that may meet it. */
  readonly plans: readonly PlanView[];
}

/** What it is given are the credentials of a binding, without an application. */
export function bindFindings({ need, at, plans }: DependencyView): readonly Finding[] {
  const place = positionIn(at, need.plan === undefined ? 'offering' : 'plan');
  const bindable = plans.filter((plan) => plan.bindable);
  if (bindable.length === 0)
    return [mistake(place, 'It is not bindable, and what it gives is known by a binding only.')];
  if (bindable.every(({ words }) => words.requires_app))
    return [mistake(place, 'It can be bound to an application only.')];
  return [];
}

/** Every `{{deps.<name>.x}}` leads to a credential; a secret among them does not stand where all see it. */
export function useFindings(dependency: DependencyView): readonly Finding[] {
  const { offering, name } = dependency;
  return planViews(offering)
    .flatMap((view) => templatePlaces(offering, view))
    .flatMap((place) => expressionsIn(place.template).map((expression) => ({ place, expression })))
    .filter(({ expression: { path } }) => path[0] === 'deps' && path[1] === name)
    .flatMap(({ place, expression }) => {
      const reason = reasonAgainstUse(dependency, place, expression);
      const at = placeWithin(place.at, expression.at);
      return reason === undefined ? [] : [mistake(at, `${expressionText(expression)}: ${reason}`)];
    });
}

function reasonAgainstUse(
  { need, plans }: DependencyView,
  place: TemplatePosition,
  expression: Expression,
): string | undefined {
  const found = plans
    .map(({ words }) => findValue(expression.path.slice(2), namedCredentials(words) ?? {}))
    .filter((value) => value !== undefined);
  if (found.length === 0) {
    const known = plans.flatMap(({ words }) => Object.keys(namedCredentials(words) ?? {}));
    const hint = didYouMean(expression.path[2] ?? '', known);
    return `The credentials of '${need.offering}' hold no such value.${hint}`;
  }
  const isSeen = isOnCommandLine(expression) || place.noSecrets !== undefined;
  return isSeen && found.some(holdsSecret)
    ? `It is a secret of '${need.offering}', and this is seen.`
    : undefined;
}

/** What the other one has of a third may be a secret too. */
function holdsSecret(credential: Json): boolean {
  return expressionsIn(credential).some(({ path: [root] }) => root === 'secrets' || root === 'deps');
}
