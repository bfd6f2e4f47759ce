import { findValue } from '../../../broker/template.ts';
import { isObject, type Json } from '../../../broker/json.ts';
import type { DeclaredRoot, ProvisionerTraits } from '../../../broker/provisioner.ts';
import { didYouMean } from '../../form/did-you-mean.ts';
import { isOfBinding, isOnCommandLine, type Use } from '../use.ts';

/** Why what a template takes of a root whose members the file names itself is not there. */
export function declaredReason(use: Use, root: DeclaredRoot, traits: ProvisionerTraits): string | undefined {
  const { offering, expression } = use;
  const [, name = '', member, ...deeper] = expression.path;
  const places = placesKnown(use, root, traits);
  const all = root.in.flatMap((place) => namesAt(offering.config, place));
  const known = places.flatMap((place) => namesAt(offering.config, place));
  if (!all.includes(name)) return `config.${root.in[0]} has no '${name}'.${didYouMean(name, known)}`;
  if (!known.includes(name)) return 'It is not known yet where this is filled.';
  if (root.members && (member === undefined || !root.members.includes(member) || deeper.length > 0))
    return `There are: ${root.members.join(', ')}.${didYouMean(member ?? '', root.members)}`;
  return root.isConfidential && isOnCommandLine(expression) ? readByOthers : undefined;
}

const readByOthers = 'It may be a secret, and others read what stands on a command line.';

export function namesAt(config: Json | undefined, place: string): readonly string[] {
  const found = findValue(place.split('.'), config ?? {});
  return isObject(found) ? Object.keys(found) : [];
}

/** Those of a binding are known to the binding alone; what is in the making knows what was made before. */
function placesKnown(use: Use, root: DeclaredRoot, { ordered = [] }: ProvisionerTraits): readonly string[] {
  const { place, expression } = use;
  const level = place.at === 'config' ? ordered.findIndex(({ at }) => isIn(expression.at, at)) : -1;
  if (level === -1) return isOfBinding(use) ? root.in : root.in.slice(0, 1);
  return root.in.slice(0, root.in[level] === ordered[level]?.at ? level + 1 : level);
}

function isIn(at: string, place: string): boolean {
  return at.startsWith(`${place}.`) || at.startsWith(`${place}[`);
}
