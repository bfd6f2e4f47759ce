import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { expressionsIn, findValue } from '../../broker/template.ts';
import { namedCredentials } from '../credential-names.ts';
import { type OfferingFile, type PlanView, planViews } from '../form/offering-file.ts';
import type { Finding } from '../problem.ts';
import { type NeededTypes, typesOf } from './rendered/after-rendering.ts';
import { answerFindings } from './rendered/answers.ts';
import { configFindings } from './config.ts';
import { typeNameOf, type TypeName } from './rendered/types-at.ts';
import type { DependencyView } from './dependencies.ts';

/**
 * What `config` and answers cannot become with the credentials of what the offering needs, whose kinds are known with
 * all files at hand. What is wrong without them is found once more.
 */
export function findingsWithNeeds(
  offering: OfferingFile,
  dependencies: readonly DependencyView[],
  traits: Readonly<Record<string, ProvisionerTraits>>,
): readonly Finding[] {
  if (dependencies.length === 0) return [];
  const types: NeededTypes = ([, name, ...path]) => {
    const plans = dependencies.find((one) => one.name === name)?.plans ?? [];
    const found = plans.map((view) => credentialTypes(view, path));
    return found.every((one) => one !== undefined) && found.length > 0
      ? [...new Set(found.flat())]
      : undefined;
  };
  return planViews(offering).flatMap((view) => [
    ...answerFindings(view, types),
    ...configFindings(offering, view, traits, types),
  ]);
}

function credentialTypes(view: PlanView, path: readonly string[]): readonly TypeName[] | undefined {
  const value = findValue(path, namedCredentials(view.words) ?? {});
  if (value === undefined) return undefined;
  const [first] = typeof value === 'string' ? expressionsIn(value) : [];
  if (typeof value !== 'string' || !first) return [typeNameOf(value)];
  const types = typesOf(value, view);
  if (types !== undefined || first.path[0] !== 'plan') return types;
  const fixed = findValue(first.path, { plan: view.plan.with ?? {} });
  return fixed === undefined ? undefined : [typeNameOf(fixed)];
}
