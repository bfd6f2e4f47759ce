import { isObject, type Json } from '../../broker/json.ts';
import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import { positionIn } from '../../broker/template.ts';
import type { OfferingFile } from '../form/offering-file.ts';
import { didYouMean } from '../form/did-you-mean.ts';
import { type Finding, mistake } from '../problem.ts';

type Traits = Readonly<Record<string, ProvisionerTraits>>;

/** The ports that an instance gets, by name; undefined when nothing in the file could say it. */
export function portNames(
  { config = {} }: OfferingFile,
  traits: ProvisionerTraits | undefined,
): readonly string[] | undefined {
  const { ports } = config;
  if (Array.isArray(ports)) return ports.filter((name: Json) => typeof name === 'string');
  // Of another form: the provisioner's schema says so.
  if (ports !== undefined) return undefined;
  const schema = traits?.config['properties'];
  return isObject(schema) && Object.hasOwn(schema, 'ports') ? [] : undefined;
}

/** Why `{{ports...}}` cannot be filled. @param names the ports there are, when that is known */
export function portReason(
  names: readonly string[] | undefined,
  path: readonly string[],
): string | undefined {
  const [, name = '', ...members] = path;
  if (names === undefined || (names.includes(name) && members.length === 0)) return undefined;
  return noSuchPort(name, names);
}

function noSuchPort(name: string, names: readonly string[]): string {
  return names.length > 0
    ? `There is no such port in config.ports. There are: ${names.join(', ')}.${didYouMean(name, names)}`
    : 'There is no such port: config.ports names none.';
}

/** Ports by name, as in `ready: { port: main }`, wherever processes and the exchanges of bindings have one. */
export function portFindings(offering: OfferingFile, traits: Traits): readonly Finding[] {
  const { config = {}, provisioner } = offering;
  const known = Object.hasOwn(traits, provisioner) ? traits[provisioner] : undefined;
  const names = portNames(offering, known);
  if (names === undefined) return [];
  return ['processes', 'bind', 'unbind']
    .flatMap((part) => namesAt(config[part], positionIn('config', part)))
    .filter(({ name }) => !names.includes(name))
    .map(({ at, name }) => mistake(at, noSuchPort(name, names)));
}

/** A text with a template is judged when it is filled in; an environment may have a variable `port`. */
function namesAt(
  value: Json | undefined,
  at: string,
): readonly { readonly name: string; readonly at: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([key, inner]: [string, Json]) => {
    const place = positionIn(at, isList ? Number(key) : key);
    if (key === 'port' && typeof inner === 'string')
      return inner.includes('{{') ? [] : [{ name: inner, at: place }];
    return notPorts.has(key) ? [] : namesAt(inner, place);
  });
}

const notPorts: ReadonlySet<string> = new Set(['env', 'headers']);
