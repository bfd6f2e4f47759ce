import { planCalled } from '../form/offering-file.ts';
import { isObject } from '../../broker/json.ts';
import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { didYouMean } from '../form/did-you-mean.ts';
import { declaredReason } from './mentions/declared.ts';
import { portNames, portReason } from './ports.ts';
import { isOfBinding, onlyPerBinding, type Use } from './use.ts';

/**
 * What is known only once the thing is made: the provisioner's facts, what hooks have put out, and the credentials
 * of what the instance needs.
 * @param core the roots that are there before
 */
export function factReason(use: Use, core: readonly string[]): string | undefined {
  const { traits, place, expression } = use;
  const [root = ''] = expression.path;
  if (!traits) return undefined;
  const roots = rootsOf(traits);
  if (!roots.includes(root)) {
    const known = [...core, ...(place.hasFacts ? roots : [])];
    return `There is no ${root}; there are: ${known.join(', ')}.${didYouMean(root, known)}`;
  }
  if (!place.hasFacts) return 'It is known only when the instance is made, and this is needed before.';
  if (traits.rootsOfBindings?.includes(root) && !isOfBinding(use)) return onlyPerBinding;
  const declared =
    traits.declared && Object.hasOwn(traits.declared, root) ? traits.declared[root] : undefined;
  if (declared) return declaredReason(use, declared, traits);
  return rules.get(root)?.(use) ?? memberReason(use, traits);
}

type Rule = (use: Use) => string | undefined;

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['ports', ({ offering, expression, traits }) => portReason(portNames(offering, traits), expression.path)],
  ['deps', dependencyReason],
  ['outputs', outputReason],
  ['pids', pidReason],
  ['tls', (use) => certificateReason(use) ?? (use.traits && memberReason(use, use.traits))],
]);

function rootsOf({ roots, supports = [] }: ProvisionerTraits): readonly string[] {
  return supports.includes('requires_offerings') ? [...new Set([...roots, 'deps'])] : roots;
}

/** What the credentials of the other offering hold is checked with all files at hand. */
function dependencyReason({ offering, place, expression: { path } }: Use): string | undefined {
  if (place.isPublic !== undefined) return place.isPublic;
  const [, name = ''] = path;
  const isDeclared = Object.hasOwn(offering.requires_offerings ?? {}, name);
  const hint = didYouMean(name, Object.keys(offering.requires_offerings ?? {}));
  return isDeclared ? undefined : `requires_offerings has no '${name}'.${hint}`;
}

/** There is a certificate only where the plan says so, and what of a file or program counts only there. */
function certificateReason({ view, expression: { at } }: Use): string | undefined {
  if (view.words.tls === true || /\.(?:tls|renewal\.\w+)$/.test(at)) return undefined;
  return `The ${planCalled(view.plan)} has no \`tls: true\`.`;
}

function outputReason(use: Use): string | undefined {
  const [, name = ''] = use.expression.path;
  const { hooks = {} } = use.offering;
  if (!Object.hasOwn(hooks, name)) return `hooks has no '${name}'.${didYouMean(name, Object.keys(hooks))}`;
  return name === 'bind' && !isOfBinding(use) ? onlyPerBinding : undefined;
}

/** It changes with each start, and is not there while the unit does not run: a variable can be left out. */
function pidReason({ offering: { config = {} }, place, expression: { at, path } }: Use): string | undefined {
  if (!place.at.startsWith('hooks') || !at.startsWith('env'))
    return 'It may be missing at times: only env of hooks, which is without such a variable then, can hold it.';
  const units = isObject(config['processes']) ? Object.keys(config['processes']) : [];
  const [, unit = ''] = path;
  if (path.length === 2 && units.includes(unit)) return undefined;
  return `There is no such unit in config.processes. There are: ${units.join(', ')}.${didYouMean(unit, units)}`;
}

function memberReason(
  { expression: { path } }: Use,
  { members = {} }: ProvisionerTraits,
): string | undefined {
  const [root = '', name = ''] = path;
  const known = Object.hasOwn(members, root) ? members[root] : undefined;
  return known === undefined || known.includes(name)
    ? undefined
    : `There are: ${known.join(', ')}.${didYouMean(name, known)}`;
}
