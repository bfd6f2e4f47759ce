import { isObject, type Json, type JsonObject } from '../../broker/json.ts';
import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import {
  type Expression,
  expressionsIn,
  expressionText,
  findValue,
  mistakesIn,
} from '../../broker/template.ts';
import type { OfferingFile, PlanView } from '../offering-file.ts';
import { type Place, templatePlaces } from './places.ts';
import { type Finding, mistake } from '../problem.ts';
import { schemasOf } from '../shorthand.ts';

/**
 * Every `{{...}}` of a plan that could not be filled, so that it is found now and not by a user.
 * @param traits absent for a provisioner that nobody knows: its facts cannot be checked
 */
export function templateFindings(
  offering: OfferingFile,
  view: PlanView,
  traits: ProvisionerTraits | undefined,
): readonly Finding[] {
  return templatePlaces(offering, view).flatMap((place) => [
    ...mistakesIn(place.template).map(({ at, reason }) => mistake(joined(place.at, at), reason)),
    ...expressionsIn(place.template).flatMap((expression) => {
      const reason = reasonAgainst({ expression, place, offering, view, traits });
      const at = joined(place.at, expression.at);
      return reason === undefined ? [] : [mistake(at, `${expressionText(expression)}: ${reason}`)];
    }),
  ]);
}

function joined(at: string, inner: string): string {
  return inner === '' || inner.startsWith('[') ? `${at}${inner}` : `${at}.${inner}`;
}

interface Use {
  readonly expression: Expression;
  readonly place: Place;
  readonly offering: OfferingFile;
  readonly view: PlanView;
  readonly traits: ProvisionerTraits | undefined;
}

function reasonAgainst(use: Use): string | undefined {
  const rule = rules.get(use.expression.path[0] ?? '') ?? factReason;
  return rule(use);
}

type Rule = (use: Use) => string | undefined;

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['params', parameterReason],
  ['plan', settingReason],
  ['secrets', secretReason],
  ['instance', oneOf('id', 'name', 'plan', 'offering', 'organization', 'space')],
  ['binding', (use) => (use.place.perBinding ? oneOf('id', 'app', 'route')(use) : onlyPerBinding)],
  ['broker', oneOf('url')],
]);

const onlyPerBinding = 'It belongs to one binding, and this place to the instance.';

function oneOf(...names: readonly string[]): Rule {
  return ({ expression: { path } }) =>
    path.length === 2 && names.includes(path[1] ?? '') ? undefined : `There are: ${names.join(', ')}.`;
}

function parameterReason({ expression, view: { plan, words } }: Use): string | undefined {
  const [, name, ...members] = expression.path;
  if (name === undefined) return writesText(expression) ? onlyAsJson : undefined;
  const create: JsonObject = schemasOf(words)?.service_instance?.create?.parameters ?? {};
  const rule = findValue(['properties', name], create);
  if (rule === undefined) return `The plan '${plan.name}' declares no such parameter.`;
  const types = typesOf(rule);
  const isAlways = findValue(['default'], rule) !== undefined || listOf(create['required']).includes(name);
  if (!isAlways) return 'The parameter may be missing: require it or give it a default.';
  if (members.length > 0) return types.length > 0 && !types.some(isNested) ? 'It has no members.' : undefined;
  const isText = !types.some((type) => isNested(type) || type === 'null');
  return writesText(expression) && !isText ? onlyAsJson : undefined;
}

const onlyAsJson = 'Only the filter json can write a list, an object or null into text.';

function writesText({ alone, filter }: Expression): boolean {
  return filter !== 'json' && (!alone || filter !== undefined);
}

function typesOf(rule: Json): readonly Json[] {
  const type = isObject(rule) ? rule['type'] : undefined;
  return typeof type === 'string' ? [type] : listOf(type);
}

function isNested(type: Json): boolean {
  return type === 'array' || type === 'object';
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? (value as readonly Json[]) : [];
}

function settingReason({ expression, view: { plan } }: Use): string | undefined {
  const value = findValue(expression.path, { plan: plan.with ?? {} });
  if (value === undefined) return `The plan '${plan.name}' does not set it in with.`;
  return writesText(expression) && typeof value === 'object' ? onlyAsJson : undefined;
}

function secretReason({ expression: { path, at }, place, offering }: Use): string | undefined {
  const [, name = '', ...members] = path;
  const secret = Object.hasOwn(offering.secrets ?? {}, name) ? offering.secrets?.[name] : undefined;
  if (!secret || members.length > 0) return 'There is no such secret.';
  if (place.noSecrets !== undefined) return place.noSecrets;
  if (secret.per === 'binding' && !place.perBinding) return onlyPerBinding;
  return /(?:^|\.)run\[/.test(at)
    ? 'A secret on a command line is seen by everybody on the machine.'
    : undefined;
}

/** What only the provisioner knows, once it has made the thing. */
function factReason({ expression: { path }, place, offering, traits }: Use): string | undefined {
  if (!traits) return undefined;
  const [root = '', name = ''] = path;
  if (!traits.roots.includes(root)) {
    const known = [...rules.keys(), ...(place.hasFacts ? traits.roots : [])];
    return `There is no ${root}; there are: ${known.join(', ')}.`;
  }
  if (!place.hasFacts) return 'It is known only when the instance is made, and this is needed before.';
  const isDeclared = root !== 'deps' || Object.hasOwn(offering.requires_offerings ?? {}, name);
  return isDeclared ? undefined : `requires_offerings has no '${name}'.`;
}
