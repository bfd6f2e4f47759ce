import { isObject, type Json, type JsonObject } from '../../../../broker/json.ts';
import { compileSchema } from '../../../../catalog/json-schema/compiled.ts';
import { draft04 } from '../../../../catalog/json-schema/drafts.ts';
import { defineCase, type CaseGroup } from '../../case.ts';
import { onlyWhen } from '../../probe/findings.ts';
import { isText, objectsIn } from '../../probe/market.ts';
import type { Probe } from '../../probe/probe.ts';
import { eachPlan, eachService, isAbsent, allPlans } from './catalog.ts';

const schemas = 'Schemas Object';
const input = 'Input Parameters Schema Object';

/** What the catalog says of parameters and maintenance, and how it is sent. */
export const catalogDetailCases: CaseGroup = {
  name: 'catalog',
  cases: [
    defineCase(
      'CAT-04',
      'SHOULD',
      'Catalog Management: Body',
      'Names have letters, digits, periods and hyphens only.',
      async (probe) => {
        const isPlain = ({ name }: JsonObject) =>
          !isText(name) || (/^[A-Za-z0-9.-]+$/.test(name) && !/^-+$/.test(name));
        await eachService(isPlain, 'has a name with other characters')(probe);
        await eachPlan(isPlain, 'has a name with other characters')(probe);
      },
    ),
    defineCase('CAT-06', 'SHOULD', 'Service Offering Object', 'Ids are GUIDs.', async (probe) => {
      const isGuid = ({ id }: JsonObject) =>
        !isText(id) || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id);
      await eachService(isGuid, 'has an id that is no GUID')(probe);
      await eachPlan(isGuid, 'has an id that is no GUID')(probe);
    }),
    defineCase(
      'CAT-19',
      'MUST',
      schemas,
      'Schemas are objects at every level.',
      eachPlan(
        (plan) => isAbsent(plan['schemas']) || areSchemas(plan['schemas']),
        'has schemas that are no objects at some level',
      ),
    ),
    defineCase(
      'CAT-20',
      'MUST',
      input,
      'A schema of parameters says its draft.',
      eachSchema((schema) => isText(schema['$schema']), 'has a schema of parameters without $schema'),
    ),
    defineCase(
      'CAT-21',
      'MUST',
      input,
      'A schema of parameters refers to nothing outside itself.',
      eachSchema(
        (schema) => referencesIn(schema).every((one) => one.startsWith('#')),
        'has a schema of parameters that refers to something outside it',
      ),
    ),
    defineCase(
      'CAT-22',
      'MUST',
      input,
      'A schema of parameters has at most 64 kB.',
      eachSchema(
        (schema) => Buffer.byteLength(JSON.stringify(schema)) <= 65_536,
        'has a schema of parameters of more than 64 kB',
      ),
    ),
    defineCase(
      'CAT-23',
      'SHOULD',
      input,
      'A schema of parameters describes an object.',
      eachSchema(
        ({ type }) => type === undefined || type === 'object',
        'has a schema of parameters that describes no object',
      ),
    ),
    defineCase(
      'CAT-24',
      'HARD',
      input,
      'Patterns and references of schemas work.',
      eachSchema(isUsable, 'has a schema of parameters that cannot be used'),
    ),
    defineCase(
      'CAT-25',
      'CC',
      'Cloud Controller',
      'Schemas keep the rules of draft 04.',
      eachSchema(
        (schema) => draft04.errorsOf(schema).length === 0,
        'has a schema of parameters that is none of draft 04, to which Cloud Controller holds all',
      ),
    ),
    defineCase(
      'CAT-26',
      'MUST',
      'Maintenance Info Object',
      'A maintenance version is a semantic one.',
      eachPlan(
        ({ maintenance_info: info }) =>
          isAbsent(info) ||
          (isObject(info) &&
            isText(info['version']) &&
            semantic.test(info['version']) &&
            ['undefined', 'string'].includes(typeof info['description'])),
        'has a maintenance_info without a semantic version',
      ),
      15,
    ),
  ],
};

const semantic =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/;

/** All levels above the parameters: `service_instance.create` and the like. */
function areSchemas(value: Json): boolean {
  if (!isObject(value)) return false;
  return ['service_instance', 'service_binding'].every((of) => {
    const moments = value[of];
    if (isAbsent(moments)) return true;
    if (!isObject(moments)) return false;
    return ['create', 'update'].every((name) => {
      const moment = moments[name];
      return (
        isAbsent(moment) ||
        (isObject(moment) && (isAbsent(moment['parameters']) || isObject(moment['parameters'])))
      );
    });
  });
}

function schemasIn(plan: JsonObject): readonly JsonObject[] {
  const parts = (value: Json | undefined, names: readonly string[]) =>
    isObject(value) ? objectsIn(names.map((name) => value[name]).filter((one) => one !== undefined)) : [];
  return parts(plan['schemas'], ['service_instance', 'service_binding'])
    .flatMap((of) => parts(of, ['create', 'update']))
    .flatMap((moment) => parts(moment, ['parameters']));
}

function eachSchema(isRight: (schema: JsonObject) => boolean, wrong: string) {
  return async (probe: Probe): Promise<void> => {
    onlyWhen(
      allPlans(probe).some((plan) => schemasIn(plan).length > 0),
      'No plan has a schema of parameters.',
    );
    await eachPlan((plan) => schemasIn(plan).every(isRight), wrong)(probe);
  };
}

function referencesIn(value: Json | undefined): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((one: Json) => referencesIn(one));
  if (!isObject(value)) return [];
  const { $ref: reference } = value;
  const inner = Object.values(value).flatMap((one) => referencesIn(one));
  return typeof reference === 'string' ? [reference, ...inner] : inner;
}

function isUsable(schema: JsonObject): boolean {
  // What is wrong with these is told by cases of their own.
  if (!isText(schema['$schema']) || referencesIn(schema).some((one) => !one.startsWith('#'))) return true;
  try {
    compileSchema(schema);
    return true;
  } catch {
    return false;
  }
}
