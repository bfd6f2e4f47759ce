import { Ajv, type ErrorObject } from 'ajv';
import { Refusal } from '../../broker/errors.ts';
import type { Json, JsonObject } from '../../broker/json.ts';
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

// Members of objects that come by a prototype do not count. What is wrong in our schemas is found when code is made of
// them; the rules for schemas would be made into code first, which is a twentieth of a start.
const ajv = new Ajv({ ownProperties: true, meta: false, validateSchema: false });
ajv.addFormat('text', isText);
ajv.addKeyword({ keyword: 'storable', validate: (_on: unknown, value: Json) => isStorable(value) });

const text = { type: 'string', maxLength: 1000, format: 'text' };
const word = { ...text, minLength: 1 };
// What is not named here may hold anything (spec.md, Vendor Extension Fields); of previous_values only the type counts,
// and the plan if it is readable.
const object = { type: 'object' };
const kept = { ...object, storable: true };
const maintenance = { ...object, properties: { version: text } };

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
  // A rotation takes all it does not say from its predecessor (spec.md, Binding Rotation).
  if: { required: ['predecessor_binding_id'] },
  else: { required: ['service_id', 'plan_id'] },
});

/**
 * Gives a check that returns the body, or refuses it with a sentence that names the first wrong field. Platforms
 * send null where they have nothing to say, so a null of what is named above is not there; in parameters and
 * context it is data.
 */
function shape<Body>(schema: JsonObject): (body: unknown) => Body {
  const isBody = ajv.compile<Body>({ type: 'object', ...schema });
  return function requireBody(given) {
    if (given === undefined) {
      throw new Refusal('invalid', 'The request has no body; it must be a JSON object.');
    }
    const body = withoutNulls(given as Json, schema);
    if (isBody(body)) return body;
    throw refusalOf(isBody.errors?.[0]);
  };
}

function refusalOf(error: ErrorObject | undefined): Refusal {
  const missing = error?.keyword === 'required' ? [String(error.params['missingProperty'])] : [];
  const field = [...(error?.instancePath.split('/').slice(1) ?? []), ...missing].join('.');
  const subject = field === '' ? 'The request body' : field;
  return new Refusal('invalid', `${subject} ${complaint(error)}.`, field === '' ? undefined : field);
}

function complaint(error: ErrorObject | undefined): string {
  switch (error?.keyword) {
    case 'required':
      return 'is missing';
    case 'type':
      return error.params['type'] === 'string' ? 'must be a string' : 'must be a JSON object';
    case 'minLength':
      return 'must not be empty';
    case 'maxLength':
      return `must not have more than ${error.params['limit']} characters`;
    case 'format':
    case 'storable':
      return 'holds a character that cannot be kept: NUL or half of a surrogate pair';
    default:
      return 'is not what the specification asks for';
  }
}
