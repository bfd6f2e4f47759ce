import type { ServicePlan } from '../../../broker/catalog.ts';
import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';
import { type Reading, readingsOf } from './readings.ts';
import { type SchemaPlace, schemaPlaceOf } from './schema-places.ts';

type Act = keyof ServicePlan['check'];
type Plan = Partial<Pick<ServicePlan, 'schemas' | 'check'>>;

/**
 * Parameters as the plan's schema wants them: forms and command lines know only text, where a schema may ask for a
 * number. The rule, which never guesses:
 *
 * 1. What the schema takes as it was sent stays as it was sent: a text is a text wherever it may be one.
 * 2. Where it may not, a text is what it says as JSON, exactly, if the schema takes that there; an empty text is the
 *    empty list or object; members called 0, 1, 2 ... are a list.
 * 3. Where the schema leaves several ways open (`anyOf`, no type at all), the whole decides: of the ways to read it
 *    that are valid, the one that takes the fewest texts for something else. Where two of these are valid, none is
 *    taken.
 * 4. What cannot be read stays as it was sent, for the schema to refuse.
 */
export function coerceParameters({ schemas, check }: Plan, on: Act, sent: JsonObject): JsonObject {
  const ruled = acts[on].filter((act) => schemaOf(schemas, act) !== undefined);
  if (ruled.length === 0) return sent;
  const place: SchemaPlace = { some: ruled.map((act) => schemaPlaceOf(schemaOf(schemas, act))) };
  const [first, ...others] = readingsOf(sent, place) as readonly [Reading, ...Reading[]];
  if (others.length === 0 || !check) return first.value as JsonObject;
  // Without a schema of its own an update is checked by that of the create, member by member.
  const judges = new Set([...ruled, on]);
  const isValid = ({ value }: Reading) =>
    [...judges].some((act) => check[act](value as JsonObject) === undefined);
  return (findOnly([first, ...others], isValid) ?? first).value as JsonObject;
}

/** What an update sends is complete, so a plan may have given the rules of it only for a create. */
const acts: Readonly<Record<Act, readonly Act[]>> = {
  provision: ['provision'],
  update: ['provision', 'update'],
  bind: ['bind'],
};

/** The valid one with the fewest bends, when there is only one such. */
function findOnly(readings: readonly Reading[], isValid: (reading: Reading) => boolean): Reading | undefined {
  for (const bends of new Set(readings.map((one) => one.bends))) {
    const valid = readings.filter((one) => one.bends === bends && isValid(one));
    if (valid.length > 0) return valid.length === 1 ? valid[0] : undefined;
  }
  return undefined;
}

const schemaPaths = {
  provision: ['service_instance', 'create'],
  update: ['service_instance', 'update'],
  bind: ['service_binding', 'create'],
} as const;

function schemaOf(schemas: JsonObject | undefined, act: Act): JsonObject | undefined {
  const [subject, word] = schemaPaths[act];
  return memberOf(memberOf(memberOf(schemas, subject), word), 'parameters');
}

function memberOf(value: Json | undefined, name: string): JsonObject | undefined {
  const member = isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return isObject(member) ? member : undefined;
}
