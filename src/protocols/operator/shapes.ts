import { Ajv, type ErrorObject } from 'ajv';
import { Refusal } from '../../broker/errors.ts';
import type { ActionBody, AuthorityBody, ExecBody, OrphanBody } from './wire.ts';

const ajv = new Ajv({ ownProperties: true });
ajv.addFormat('text', (text: string) => text.isWellFormed() && !text.includes('\0'));

const argument = { type: 'string', maxLength: 100_000, format: 'text' };
const word = { type: 'string', minLength: 1, maxLength: 1000, format: 'text' };

export const requireActionBody = shape<ActionBody>({
  properties: { units: { type: 'array', minItems: 1, maxItems: 1000, items: word } },
});

export const requireNoBody = shape<object>({});

export const requireExecBody = shape<ExecBody>({
  properties: {
    command: { type: 'array', minItems: 1, maxItems: 1000, items: argument },
    unit: word,
    timeout: { type: 'integer', minimum: 1, maximum: 240_000 },
  },
  required: ['command'],
});

export const requireOrphanBody = shape<OrphanBody>({
  properties: { provisioner: word, node: word, name: word },
  required: ['provisioner', 'name'],
});

const longestWait = 365 * 86_400_000;

export const requireAuthorityBody = shape<AuthorityBody>({
  properties: { signs_after: { type: 'integer', minimum: 0, maximum: longestWait } },
  required: ['signs_after'],
});

/** Gives a check that returns the body, or refuses it with a sentence that names the first wrong field. */
function shape<Body>(schema: object): (body: unknown) => Body {
  const isBody = ajv.compile<Body>({ type: 'object', additionalProperties: false, ...schema });
  return function requireBody(body) {
    if (isBody(body)) return body;
    throw refusalOf(isBody.errors?.[0]);
  };
}

function refusalOf(error: ErrorObject | undefined): Refusal {
  const { missingProperty, additionalProperty } = (error?.params ?? {}) as Record<string, unknown>;
  const last = [missingProperty, additionalProperty].filter((name) => typeof name === 'string');
  const field = [...(error?.instancePath.split('/').slice(1) ?? []), ...last].join('.').slice(0, 100);
  const subject = field === '' ? 'The request body' : field;
  return new Refusal('invalid', `${subject} ${complaint(error)}.`, field === '' ? undefined : field);
}

const types: Readonly<Record<string, string>> = {
  object: 'a JSON object',
  array: 'a list',
  string: 'a string',
  integer: 'a whole number',
};

function complaint(error: ErrorObject | undefined): string {
  const { type, limit } = (error?.params ?? {}) as { type?: string; limit?: number };
  switch (error?.keyword) {
    case 'required':
      return 'is missing';
    case 'additionalProperties':
      return 'is not known here';
    case 'type':
      return `must be ${types[type ?? ''] ?? type}`;
    case 'minLength':
    case 'minItems':
      return 'must not be empty';
    case 'maxLength':
    case 'maxItems':
      return `must not have more than ${limit} ${error.keyword === 'maxItems' ? 'entries' : 'characters'}`;
    case 'minimum':
      return `must be at least ${limit}`;
    case 'maximum':
      return `must be at most ${limit}`;
    default:
      return 'holds a character that cannot be kept';
  }
}
