import type { ParameterCheck } from '../../broker/catalog.ts';
import { isObject, type Json, type JsonObject } from '../../broker/json.ts';
import { ownSchema } from '../own-schema.ts';
import { positionIn } from '../../broker/template.ts';
import { memberRules } from '../json-schema/member-rules.ts';
import type { OfferingFile, PerPlan } from '../form/offering-file.ts';
import { patternOf } from '../json-schema/pattern.ts';
import { parameterCheck } from '../parameters.ts';
import { madeSchemaFindings, parameterSchemaFindings } from './parameter-schema.ts';
import { type Finding, isError, mistake } from '../problem.ts';
import { defaultsOf, schemasOf } from '../form/shorthand.ts';

/** The parameters of an offering and of each plan that has its own. */
export function parameterFindings(offering: OfferingFile): readonly Finding[] {
  return [
    ...holderFindings(offering, ''),
    ...offering.plans.flatMap((plan, index) => holderFindings(plan, `plans[${index}]`)),
  ];
}

/** @param at of what has them: an offering, a plan or an action */
export function holderFindings(holder: PerPlan, at: string): readonly Finding[] {
  const { parameters, schemas } = holder;
  if (parameters !== undefined && schemas !== undefined) {
    return [mistake(positionIn(at, 'parameters'), 'There are schemas too: give one of the two.')];
  }
  const findings = parameters
    ? shorthandFindings(holder, positionIn(at, 'parameters'))
    : fullFindings(holder, at);
  return findings.some(isError) ? findings : [...findings, ...defaultFindings(holder, at)];
}

/** The places of the schema that the shorthand becomes are told as places of the shorthand. */
function shorthandFindings(holder: PerPlan, at: string): readonly Finding[] {
  const create = schemasOf(holder)?.service_instance?.create?.parameters ?? {};
  const findings = madeSchemaFindings(create, at);
  return findings.map((finding) => ({ ...finding, path: finding.path.replace(`${at}.properties`, at) }));
}

function fullFindings({ schemas }: PerPlan, at: string): readonly Finding[] {
  const { service_instance: instance, service_binding: binding } = schemas ?? {};
  const all = [
    ['service_instance', 'create', instance?.create?.parameters],
    ['service_instance', 'update', instance?.update?.parameters],
    ['service_binding', 'create', binding?.create?.parameters],
  ] as const;
  return all.flatMap(([thing, action, schema]) => {
    const place = [thing, action, 'parameters'].reduce(positionIn, positionIn(at, 'schemas'));
    return schema === undefined ? [] : parameterSchemaFindings(schema, place);
  });
}

/** A default is used when the user says nothing, so it must be what a user might say. */
function defaultFindings(holder: PerPlan, at: string): readonly Finding[] {
  const create = schemasOf(holder)?.service_instance?.create?.parameters;
  const schemaPlace = ['schemas', 'service_instance', 'create', 'parameters'].reduce(positionIn, at);
  const check = findCheck(create);
  if (!check) return [mistake(schemaPlace, 'References must lead to definitions or properties.')];
  const place = holder.parameters ? positionIn(at, 'parameters') : positionIn(schemaPlace, 'properties');
  return Object.entries(defaultsOf(holder)).flatMap(([name, value]) => {
    // In a full schema other words than those of the parameter may be about it.
    if (passesPlainly(holder.parameters?.[name], value)) return [];
    const parameter: JsonObject = { [name]: value };
    const wrong = check(parameter);
    return wrong === undefined ? [] : [mistake(positionIn(positionIn(place, name), 'default'), wrong)];
  });
}

/** Undefined when the schema refers to what the rules of single parameters leave out. */
function findCheck(create: JsonObject | undefined): ParameterCheck | undefined {
  try {
    return parameterCheck(memberRules(create));
  } catch {
    return undefined;
  }
}

/** Most parameters are told in few words, for which no validator need be made. False: only a validator knows. */
function passesPlainly(schema: Json | undefined, value: Json): boolean {
  if (!isObject(schema)) return false;
  const { pattern, ...plain } = schema;
  if (!isPlain(plain) || ownSchema(plain)(value).length > 0) return false;
  if (pattern === undefined) return true;
  return typeof pattern === 'string' && typeof value === 'string' && patternOf(pattern).test(value);
}

function isPlain(schema: Json): boolean {
  return (
    isObject(schema) &&
    Object.entries(schema).every(
      ([keyword, said]) => plainWords.has(keyword) || (keyword === 'items' && isPlain(said)),
    )
  );
}

const plainWords: ReadonlySet<string> = new Set([
  'title',
  'description',
  'default',
  'type',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
]);
