import { Refusal } from '../../broker/errors.ts';
import { isObject, type Json, type JsonObject } from '../../broker/json.ts';
import { withoutNulls } from '../../broker/without-nulls.ts';
import { isStorable, isText } from './storable.ts';

export interface ProvisionBody {
  readonly service_id: string;
  readonly plan_id: string;
  readonly organization_guid: string;
  readonly space_guid: string;
  readonly parameters?: JsonObject;
  readonly context?: JsonObject;
  readonly maintenance_info?: { readonly version?: string };
}

export interface UpdateBody {
  readonly service_id: string;
  readonly plan_id?: string;
  readonly parameters?: JsonObject;
  readonly context?: JsonObject;
  readonly maintenance_info?: { readonly version?: string };
  readonly previous_values?: JsonObject;
}

export interface BindBody {
  readonly service_id?: string;
  readonly plan_id?: string;
  readonly app_guid?: string;
  readonly bind_resource?: {
    readonly app_guid?: string;
    readonly route?: string;
    readonly credential_client_id?: string;
  };
  readonly parameters?: JsonObject;
  readonly context?: JsonObject;
  readonly predecessor_binding_id?: string;
}

// In the words of JSON Schema, as far as they are needed. Ajv would make code of them at every start, in a
// twenty-fifth of its time.
type Rule = TextRule | ObjectRule;

type TextRule = {
  readonly type: 'string';
  readonly minLength: number;
  readonly maxLength: number;
};

type ObjectRule = {
  readonly type: 'object';
  /** What is not named may hold anything. */
  readonly properties: Readonly<Record<string, Rule>>;
  readonly required: readonly string[];
  /** Must all of it be such as can be kept? */
  readonly storable: boolean;
};

const text: TextRule = { type: 'string', minLength: 0, maxLength: 1000 };
const word: TextRule = { ...text, minLength: 1 };
// What is not named here may hold anything (spec.md, Vendor Extension Fields); of previous_values only the type counts,
// and the plan if it is readable.
const object: ObjectRule = { type: 'object', properties: {}, required: [], storable: false };
const kept: ObjectRule = { ...object, storable: true };
const maintenance: ObjectRule = { ...object, properties: { version: text } };

export const requireProvisionBody = shape<ProvisionBody>({
  properties: {
    service_id: word,
    plan_id: word,
    organization_guid: word,
    space_guid: word,
    parameters: kept,
    context: kept,
    maintenance_info: maintenance,
    previous_values: object,
  },
  required: ['service_id', 'plan_id', 'organization_guid', 'space_guid'],
});

export const requireUpdateBody = shape<UpdateBody>({
  properties: {
    service_id: word,
    plan_id: word,
    parameters: kept,
    context: kept,
    maintenance_info: maintenance,
    previous_values: object,
  },
  required: ['service_id'],
});

export const requireBindBody = shape<BindBody>({
  properties: {
    service_id: word,
    plan_id: word,
    app_guid: text,
    bind_resource: { ...object, properties: { app_guid: text, route: text, credential_client_id: text } },
    parameters: kept,
    context: kept,
    predecessor_binding_id: word,
  },
  required: ['service_id', 'plan_id'],
  // A rotation takes all it does not say from its predecessor (spec.md, Binding Rotation).
  unless: 'predecessor_binding_id',
});

/**
 * Gives a check that returns the body, or refuses it with a sentence that names the first wrong field. Platforms
 * send null where they have nothing to say, so a null of what is named above is not there; in parameters and
 * context it is data.
 */
function shape<Body>({ unless, ...said }: BodyRule): (body: unknown) => Body {
  const rule: ObjectRule = { ...object, ...said };
  return function requireBody(given) {
    if (given === undefined) {
      throw new Refusal('invalid', 'The request has no body; it must be a JSON object.');
    }
    const body = withoutNulls(given as Json, rule);
    const isFree = unless !== undefined && isObject(body) && Object.hasOwn(body, unless);
    const wrong = wrongIn(body, isFree ? { ...rule, required: [] } : rule, []);
    if (!wrong) return body as Body;
    const field = wrong.at.join('.');
    const subject = field === '' ? 'The request body' : field;
    throw new Refusal('invalid', `${subject} ${wrong.complaint}.`, field === '' ? undefined : field);
  };
}

interface BodyRule extends Pick<ObjectRule, 'properties' | 'required'> {
  /** With this member no other is required. */
  readonly unless?: string;
}

/** What is wrong first. */
interface Wrong {
  readonly at: readonly string[];
  readonly complaint: string;
}

function wrongIn(value: Json | undefined, rule: Rule, at: readonly string[]): Wrong | undefined {
  const complaint = rule.type === 'string' ? wrongInText(value, rule) : wrongInObject(value, rule);
  if (complaint !== undefined) return { at, complaint };
  if (rule.type === 'string' || !isObject(value)) return undefined;
  const missing = rule.required.find((name) => !Object.hasOwn(value, name));
  if (missing !== undefined) return { at: [...at, missing], complaint: 'is missing' };
  for (const [name, inner] of Object.entries(rule.properties)) {
    const wrong = Object.hasOwn(value, name) && wrongIn(value[name], inner, [...at, name]);
    if (wrong) return wrong;
  }
  return undefined;
}

function wrongInText(value: Json | undefined, { minLength, maxLength }: TextRule): string | undefined {
  if (typeof value !== 'string') return 'must be a string';
  // In characters, of which some take two places of a string.
  if (value.length > maxLength && Array.from(value).length > maxLength)
    return `must not have more than ${maxLength} characters`;
  if (value.length < minLength) return 'must not be empty';
  return isText(value) ? undefined : unkept;
}

function wrongInObject(value: Json | undefined, { storable }: ObjectRule): string | undefined {
  if (!isObject(value)) return 'must be a JSON object';
  return storable && !isStorable(value) ? unkept : undefined;
}

const unkept = 'holds a character that cannot be kept: NUL or half of a surrogate pair';
