import { expressionsIn, expressionText, positionIn } from '../../broker/template.ts';
import { type DependencyEntry, type OfferingFile, planViews } from '../form/offering-file.ts';
import { didYouMean } from '../form/did-you-mean.ts';
import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { bindFindings, type DependencyView, useFindings } from './dependencies.ts';
import { neededParameterFindings } from './needed-parameters.ts';
import { findingsWithNeeds } from './findings-with-needs.ts';
import { placeWithin } from './places.ts';
import { type Finding, mistake, type Problem } from '../problem.ts';

/** A need is met by an instance of its own, made from a plan, or by one that exists. */
export function needFindings({ requires_offerings: needs = {} }: OfferingFile): readonly Finding[] {
  return Object.entries(needs).flatMap(([name, { plan, instance, parameters }]) => {
    if (instance !== undefined && plan === undefined && parameters !== undefined)
      return [mistake(positionIn(placeOf(name), 'parameters'), 'A shared instance has its own already.')];
    if ((plan === undefined) !== (instance === undefined)) return [];
    const reason = 'Give a plan (an instance of its own) or an instance (a shared one).';
    return [mistake(placeOf(name), reason)];
  });
}

/** Which nodes can make it must be known before there is an instance. */
export function executableFindings({ config = {} }: OfferingFile): readonly Finding[] {
  const at = positionIn('config', 'needs');
  const reason = 'Only what the plan fixes can be used here.';
  return expressionsIn(config['needs'] ?? [])
    .filter(({ path }) => path[0] !== 'plan')
    .map((expression) => mistake(placeWithin(at, expression.at), `${expressionText(expression)}: ${reason}`));
}

export interface NamedFile {
  readonly file: string;
  readonly offering: OfferingFile;
}

/** Needs lead to offerings and plans that exist and give what is used of them, and never back to where they started. */
export function needProblems(files: readonly NamedFile[], traits: Traits): readonly Problem[] {
  const byName = new Map(files.map(({ offering }) => [offering.name, offering]));
  return files.flatMap(({ file, offering }) => {
    const looked = Object.entries(offering.requires_offerings ?? {}).map(([name, need]) =>
      lookUp(offering, name, need, byName),
    );
    const met = looked.filter((one): one is DependencyView => !Array.isArray(one));
    return [
      ...looked.flatMap((one) => (Array.isArray(one) ? (one as readonly Finding[]) : [])),
      ...met.flatMap((one) => findingsOf(one, byName, traits)),
      ...findingsWithNeeds(offering, met, traits),
    ].map((finding) => ({ file, ...finding }));
  });
}

type Traits = Readonly<Record<string, ProvisionerTraits>>;
type Offerings = ReadonlyMap<string, OfferingFile>;

/** What meets the need, or why nothing does. */
function lookUp(
  offering: OfferingFile,
  name: string,
  need: DependencyEntry,
  byName: Offerings,
): DependencyView | readonly Finding[] {
  const at = placeOf(name);
  const needed = byName.get(need.offering);
  if (!needed) {
    const hint = didYouMean(need.offering, [...byName.keys()]);
    return [mistake(positionIn(at, 'offering'), `There is no offering '${need.offering}'.${hint}`)];
  }
  const plans = planViews(needed).filter(({ plan }) => need.plan === undefined || plan.name === need.plan);
  if (plans.length === 0) {
    const hint = didYouMean(
      need.plan ?? '',
      needed.plans.map((plan) => plan.name),
    );
    return [
      mistake(positionIn(at, 'plan'), `The offering '${needed.name}' has no plan '${need.plan}'.${hint}`),
    ];
  }
  return { offering, name, need, at, needed, plans };
}

function findingsOf(dependency: DependencyView, byName: Offerings, traits: Traits): readonly Finding[] {
  const { offering, needed, at } = dependency;
  const circle = findWay(needed.name, offering.name, byName);
  return [
    ...(circle ? [mistake(at, `The needs go in a circle: ${[offering.name, ...circle].join(', ')}.`)] : []),
    ...bindFindings(dependency),
    ...neededParameterFindings(dependency, traits),
    ...useFindings(dependency),
  ];
}

function placeOf(name: string): string {
  return positionIn(positionIn('', 'requires_offerings'), name);
}

/** The names from one offering to another along their needs. */
function findWay(
  from: string,
  to: string,
  byName: Offerings,
  seen = new Set<string>(),
): readonly string[] | undefined {
  if (from === to) return [to];
  if (seen.has(from)) return undefined;
  seen.add(from);
  for (const { offering } of Object.values(byName.get(from)?.requires_offerings ?? {})) {
    const way = findWay(offering, to, byName, seen);
    if (way) return [from, ...way];
  }
  return undefined;
}
