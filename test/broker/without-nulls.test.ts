import type { Json, JsonObject } from '../../src/broker/json.ts';
import { withoutNulls } from '../../src/broker/without-nulls.ts';

const schema: JsonObject = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    kind: { enum: ['a', 'b'] },
    any: true,
    maybe: { type: ['string', 'null'] },
    free: { type: 'object' },
    inner: { type: 'object', properties: { name: { type: 'string' } } },
    list: { type: 'array', items: { $ref: '#/definitions/part' } },
    named: { type: 'object', additionalProperties: { $ref: '#/definitions/part' } },
    either: { anyOf: [{ type: 'string' }, { type: 'object', properties: { mode: { type: 'string' } } }] },
  },
  definitions: { part: { type: 'object', properties: { size: { type: 'integer' } } } },
};

test.each<[what: string, given: Json, left: Json]>([
  ['of a member that cannot be null is not there', { name: null, kind: null, inner: null }, {}],
  ['inside a member is not there', { inner: { name: null } }, { inner: {} }],
  ['in an item of a list is not there', { list: [{ size: null }, 5] }, { list: [{}, 5] }],
  ['in a named object is not there', { named: { x: { size: null } } }, { named: { x: {} } }],
  ['in an alternative is not there', { either: { mode: null } }, { either: {} }],
  ['of a member that may be null is data', { any: null, maybe: null }, { any: null, maybe: null }],
  ['in an object of no form is data', { free: { name: null } }, { free: { name: null } }],
  ['of a name that is not known is data', { stranger: null }, { stranger: null }],
  ['for a named object is a mistake that stays', { named: { x: null } }, { named: { x: null } }],
  ['in a list is a mistake that stays', { list: [null] }, { list: [null] }],
])('A JSON null %s.', (_what, given, left) => {
  expect(withoutNulls(given, schema)).toEqual(left);
});

test('A member with the name of what all objects inherit is kept as it is.', () => {
  const given = JSON.parse('{"__proto__": null, "constructor": null}') as Json;
  expect(JSON.stringify(withoutNulls(given, schema))).toBe('{"__proto__":null,"constructor":null}');
});
