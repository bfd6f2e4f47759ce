import type { JsonObject } from '../../broker/json.ts';
import { ownSchema } from '../own-schema.ts';

/**
 * Is it told in a few words, each as all drafts have it? Then it keeps the rules of its draft and can be used, and
 * nothing need be made to find that out: Ajv takes a tenth of a start of the broker for it. False: only Ajv knows.
 * @param schema no deeper than schemas may be
 */
export function isPlainSchema(schema: JsonObject): boolean {
  return judge(schema).length === 0;
}

const text = { type: 'string' };
const number = { type: 'number' };
const count = { type: 'integer', minimum: 0 };

const plainWords = {
  title: text,
  description: text,
  default: true,
  type: { enum: ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'] },
  enum: { type: 'array', minItems: 1, uniqueItems: true },
  minimum: number,
  maximum: number,
  minLength: count,
  maxLength: count,
  pattern: text,
  items: { $ref: '#/definitions/part' },
  properties: { type: 'object', additionalProperties: { $ref: '#/definitions/part' } },
  additionalProperties: { type: 'boolean' },
  required: { type: 'array', minItems: 1, uniqueItems: true, items: text },
};

const judge = ownSchema({
  type: 'object',
  additionalProperties: false,
  properties: { $schema: text, ...plainWords },
  definitions: { part: { type: 'object', additionalProperties: false, properties: plainWords } },
});
