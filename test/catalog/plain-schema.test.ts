import * as check from 'fast-check';
import type { Json, JsonObject } from '../../src/broker/json.ts';
import { compileSchema } from '../../src/catalog/json-schema/compiled.ts';
import { draftNames, findDraft } from '../../src/catalog/json-schema/drafts.ts';
import { isPlainSchema } from '../../src/catalog/json-schema/plain-schema.ts';

/** What is told in few words is held against no rules of its draft, so it must keep them. */

const values: check.Arbitrary<Json> = check.constantFrom<Json>(
  true,
  false,
  null,
  0,
  1,
  1.5,
  -1,
  'string',
  'object',
  '^a',
  [],
  ['a'],
  ['a', 'a'],
  [1, { a: 2 }],
  {},
);

const words = [
  'title',
  'description',
  'default',
  'type',
  'enum',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
];
const others = [
  'pattern',
  'items',
  'additionalProperties',
  'required',
  'properties',
  '$ref',
  'allOf',
  'format',
  'id',
];

/** Most of them right, and some with something else in the place of a value. */
const schemas = schemasWithin(schemasWithin(check.constant<JsonObject>({})));

function schemasWithin(inner: check.Arbitrary<JsonObject>): check.Arbitrary<JsonObject> {
  const right = check.record(
    {
      type: check.constantFrom('string', 'object', 'integer', 'array'),
      enum: check.constantFrom<Json>(['a'], [1, 2]),
      minLength: check.constantFrom(0, 2),
      minimum: check.constantFrom(-1, 1.5),
      required: check.constantFrom<Json>(['a'], ['a', '__proto__']),
      items: inner,
      properties: check.dictionary(check.constantFrom('a', '', '$ref', 'constructor'), inner, { maxKeys: 2 }),
      additionalProperties: check.boolean(),
    },
    { requiredKeys: [] },
  );
  return check
    .tuple(right, check.constantFrom(...words, ...others), values, check.boolean())
    .map(([schema, word, value, isChanged]) => (isChanged ? { ...schema, [word]: value } : schema));
}

test.each(draftNames)('A plain schema keeps the rules of %s, and can be used', (name) => {
  const draft = findDraft(name);
  const $schema = `http://json-schema.org/${name}/schema#`;
  let plain = 0;
  check.assert(
    check.property(schemas, (schema) => {
      const named = { ...schema, $schema };
      if (!isPlainSchema(named)) return;
      plain += 1;
      expect(draft?.errorsOf(named)).toEqual([]);
      expect([true, false]).toContain(compileSchema(named)({}));
    }),
    { numRuns: 100, seed: 1 },
  );
  expect(plain).toBeGreaterThan(20);
});

test.each<JsonObject>([
  { $ref: '#' },
  { properties: { a: { allOf: [{}] } } },
  { items: { format: 'uuid' } },
  { properties: { a: { $schema: 'http://json-schema.org/draft-04/schema#' } } },
  { type: ['string', 'null'] },
  { type: 'text' },
  { minLength: -1 },
  { minimum: '1' },
  { required: [] },
  { enum: [1, 1] },
])('%j is not plain', (schema) => {
  expect(isPlainSchema(schema)).toBe(false);
});
