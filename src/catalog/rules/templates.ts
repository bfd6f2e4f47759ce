import { isObject, type Json, type JsonObject } from '../../broker/json.ts';
import type { ProvisionerTraits } from '../../broker/provisioner.ts';
import {
  type Expression,
  expressionsIn,
  expressionText,
  filterNames,
  findValue,
  mistakesIn,
} from '../../broker/template.ts';
import { type OfferingFile, planCalled, type PlanView } from '../form/offering-file.ts';
import { didYouMean } from '../form/did-you-mean.ts';
import { factReason } from './facts.ts';
import { placeWithin, templatePlaces } from './places.ts';
import { type Finding, mistake } from '../problem.ts';
import { schemasOf } from '../form/shorthand.ts';
import { isOfBinding, isOnCommandLine, isProgram, onlyPerBinding, type Use } from './use.ts';

/**
 * Every `{{...}}` of a plan that could not be filled, so that it is found now and not by a user.
 * @param traits absent for a provisioner that nobody knows: its facts cannot be checked
 */
export function templateFindings(
  offering: OfferingFile,
  view: PlanView,
  traits: ProvisionerTraits | undefined,
): readonly Finding[] {
  return templatePlaces(offering, view, traits?.perBinding).flatMap((place) => [
    ...mistakesIn(place.template).map(({ at, reason }) =>
      mistake(placeWithin(place.at, at), `${reason}${nearestFilter(reason)}`),
    ),
    ...expressionsIn(place.template).flatMap((expression) => {
      const reason = reasonAgainst({ expression, place, offering, view, traits });
      const at = placeWithin(place.at, expression.at);
      return reason === undefined ? [] : [mistake(at, `${expressionText(expression)}: ${reason}`)];
    }),
  ]);
}

function nearestFilter(reason: string): string {
  const [, filter = ''] = /^There is no filter '([^']+)'/.exec(reason) ?? [];
  return didYouMean(filter, filterNames);
}

function reasonAgainst(use: Use): string | undefined {
  const rule = rules.get(use.expression.path[0] ?? '');
  return rule ? rule(use) : factReason(use, rootsAt(use.place));
}

function rootsAt({ at }: Use['place']): readonly string[] {
  return [...rules.keys()].filter((root) => root !== 'asked' || at === actionHook);
}

const actionHook = 'hooks.action';

type Rule = (use: Use) => string | undefined;

const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['params', parameterReason],
  ['plan', settingReason],
  ['secrets', secretReason],
  [
    'instance',
    oneOf(
      'id',
      'platform',
      'platform_id',
      'key',
      'name',
      'plan',
      'offering',
      'organization',
      'space',
      'cluster',
      'pool',
    ),
  ],
  ['binding', (use) => (isOfBinding(use) ? oneOf('id', 'key', 'app', 'route')(use) : onlyPerBinding)],
  ['broker', oneOf('url')],
  ['asked', askedReason],
]);

function oneOf(...names: readonly string[]): Rule {
  return ({ expression: { path } }) =>
    path.length === 2 && names.includes(path[1] ?? '')
      ? undefined
      : `There are: ${names.join(', ')}.${didYouMean(path[1] ?? '', names)}`;
}

function parameterReason({ expression, place, view: { plan, words } }: Use): string | undefined {
  if (place.isPublic !== undefined) return place.isPublic;
  const [, name, ...members] = expression.path;
  if (isProgram(expression)) return 'A parameter cannot choose the program.';
  if (name === undefined) return writesText(expression) ? onlyAsJson : undefined;
  const create: JsonObject = schemasOf(words)?.service_instance?.create?.parameters ?? {};
  const rule = findValue(['properties', name], create);
  if (rule === undefined) {
    const known = Object.keys((create['properties'] ?? {}) as object);
    return `The ${planCalled(plan)} declares no such parameter.${didYouMean(name, known)}`;
  }
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
  if (value === undefined) {
    const hint = didYouMean(expression.path[1] ?? '', Object.keys(plan.with ?? {}));
    return `The ${planCalled(plan)} does not set it in with.${hint}`;
  }
  return writesText(expression) && typeof value === 'object' ? onlyAsJson : undefined;
}

function secretReason(use: Use): string | undefined {
  const { expression, place, offering } = use;
  const [, name = '', ...members] = expression.path;
  const secret = Object.hasOwn(offering.secrets ?? {}, name) ? offering.secrets?.[name] : undefined;
  if (!secret || members.length > 0)
    return `There is no such secret.${didYouMean(name, Object.keys(offering.secrets ?? {}))}`;
  if (place.noSecrets !== undefined) return place.noSecrets;
  if (secret.per === 'binding' && !isOfBinding(use)) return onlyPerBinding;
  return isOnCommandLine(expression) ? seenByAll : undefined;
}

/** Which parameters there are depends on what is asked for: a variable can be left out. */
function askedReason({ expression, place, offering: { actions = {} } }: Use): string | undefined {
  const { path, at } = expression;
  const [, member, name = ''] = path;
  if (place.at !== actionHook) return 'Only the hook action is told what was asked for.';
  if (isProgram(expression)) return 'What is asked for cannot choose the program.';
  if (member === 'name' && path.length === 2) return undefined;
  if ((member !== 'parameters' && member !== 'former') || path.length < 3)
    return 'There are: asked.name, asked.parameters.<name>, asked.former.<secret>.';
  if (!at.startsWith('env'))
    return 'It may be missing at times: only env, which is without such a variable then, can hold it.';
  const renewed = Object.values(actions).flatMap(({ renews = [] }) => renews);
  if (member === 'former')
    return renewed.includes(name) ? undefined : `No action renews such a secret.${didYouMean(name, renewed)}`;
  const known = Object.values(actions).flatMap(({ parameters = {} }) => Object.entries(parameters));
  const rules = known.filter(([one]) => one === name).map(([, rule]) => rule);
  if (rules.length === 0)
    return `No action declares such a parameter.${didYouMean(
      name,
      known.map(([one]) => one),
    )}`;
  return writesText(expression) && rules.some((rule) => typesOf(rule).some(isNested))
    ? onlyAsJson
    : undefined;
}

const seenByAll = 'A secret on a command line is seen by everybody on the machine.';
