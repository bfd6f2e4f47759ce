import type { ServicePlan } from '../../../src/broker/catalog.ts';
import type { Json, JsonObject } from '../../../src/broker/json.ts';
import { parameterCheck } from '../../../src/catalog/parameters.ts';
import { coerceParameters } from '../../../src/protocols/tsuru/parameters/coerce.ts';

/** Forms know only text: what becomes of it under the schemas that a plan may have. */

type Rules = Pick<ServicePlan, 'schemas' | 'check'>;

/** A plan with these schemas for create, update and bind. */
function ruled(create?: JsonObject, update?: JsonObject): Rules {
  const rulesOf = (parameters: JsonObject | undefined): JsonObject => (parameters ? { parameters } : {});
  return {
    schemas: {
      service_instance: { create: rulesOf(create), update: rulesOf(update) },
      service_binding: { create: rulesOf(create) },
    },
    check: {
      provision: parameterCheck(create),
      update: parameterCheck(update ?? create),
      bind: parameterCheck(create),
    },
  };
}

/** What `a` becomes, where its schema is this and the document may have definitions. */
function read(a: JsonObject, sent: Json, definitions: JsonObject = {}): Json | undefined {
  const parameters = { type: 'object', properties: { a }, additionalProperties: false, definitions };
  const plan = ruled(parameters);
  const outcomes = (['provision', 'update', 'bind'] as const).map(
    (on) => coerceParameters(plan, on, { a: sent })['a'],
  );
  for (const one of outcomes) expect(one).toEqual(outcomes[0]);
  return outcomes[0];
}

test.each<[JsonObject, Json, Json]>([
  [{ type: 'integer' }, '5', 5],
  [{ type: 'integer' }, '-5', -5],
  [{ type: 'integer' }, '1e3', 1000],
  [{ type: 'number' }, '0.5', 0.5],
  [{ type: 'number' }, '0.30000000000000004', 0.30000000000000004],
  [{ type: 'boolean' }, 'true', true],
  [{ type: ['boolean', 'null'] }, 'null', null],
  [{ type: 'array', items: { type: 'integer' } }, { 0: '1', 1: '2' }, [1, 2]],
  [{ type: 'array', items: { type: 'integer' } }, ['1', '2'], [1, 2]],
  [{ type: 'array', items: { type: 'integer' } }, '[1,2]', [1, 2]],
  [{ type: 'array', items: [{ type: 'integer' }, { type: 'string' }] }, ['1', '2'], [1, '2']],
  [
    { type: 'array', items: [{ type: 'integer' }], additionalItems: { type: 'boolean' } },
    ['1', 'true'],
    [1, true],
  ],
  [{ type: 'array' }, '', []],
  [{ type: 'object' }, '', {}],
  [{ type: 'object' }, '{"b":{"c":[1]}}', { b: { c: [1] } }],
  [
    { type: 'object', properties: { b: { type: 'integer' } } },
    { b: '1', c: '2' },
    { b: 1, c: '2' },
  ],
  [
    { type: 'object', additionalProperties: { type: 'integer' } },
    { x: '1', y: '2' },
    { x: 1, y: 2 },
  ],
  [{ type: 'object', additionalProperties: { type: 'boolean' } }, { 0: 'true' }, { 0: true }],
])('The schema %j reads %j as %j.', (schema, sent, expected) => {
  expect(read(schema, sent)).toEqual(expected);
});

const definitions: JsonObject = {
  size: { type: 'integer' },
  deep: { allOf: [{ $ref: '#/definitions/size' }, { minimum: 1 }] },
  'a/b~c d': { type: 'boolean' },
  anchored: { $id: '#anchored', type: 'integer' },
  tree: { type: 'object', properties: { size: { type: 'integer' }, left: { $ref: '#/definitions/tree' } } },
  sizes: { type: 'array', items: { $ref: '#/definitions/size' } },
};

test.each<[JsonObject, Json, Json]>([
  [{ $ref: '#/definitions/size' }, '5', 5],
  [{ $ref: '#/definitions/deep' }, '5', 5],
  [{ $ref: '#/definitions/a~1b~0c%20d' }, 'true', true],
  [{ $ref: '#/definitions/sizes' }, { 0: '1' }, [1]],
  [{ $ref: '#/definitions/sizes' }, '', []],
  [
    { $ref: '#/definitions/tree' },
    { size: '1', left: { size: '2', left: { size: '3' } } },
    { size: 1, left: { size: 2, left: { size: 3 } } },
  ],
  [{ allOf: [{ type: 'integer' }, { minimum: 3 }] }, '5', 5],
  [{ allOf: [{ minimum: 3 }, { anyOf: [{ type: 'integer' }, { type: 'boolean' }] }] }, '5', 5],
  [{ anyOf: [{ type: 'integer' }, { type: 'null' }] }, '5', 5],
  [{ oneOf: [{ $ref: '#/definitions/size' }, { type: 'boolean' }] }, 'false', false],
  [{ anyOf: [{ type: 'string', enum: ['auto'] }, { type: 'integer' }] }, '5', 5],
  [{ anyOf: [{ type: 'string', enum: ['auto'] }, { type: 'integer' }] }, 'auto', 'auto'],
  [{ anyOf: [{ type: 'string', maxLength: 1 }, { type: 'integer' }] }, '55', 55],
  [{ anyOf: [{ type: 'array', items: { type: 'integer' } }, { const: 'none' }] }, { 0: '1' }, [1]],
  [{ enum: [1, 2, 3] }, '2', 2],
  [{ enum: [true, 'auto'] }, 'true', true],
  [{ enum: [true, 'auto'] }, 'auto', 'auto'],
  [{ const: 7 }, '7', 7],
  [{ enum: [[1, 2], { b: 1 }] }, '{"b":1}', { b: 1 }],
])('A type that is told by %j is found: %j is %j.', (schema, sent, expected) => {
  expect(read(schema, sent, definitions)).toEqual(expected);
});

test.each<[JsonObject, Json]>([
  [{ type: 'string' }, 'true'],
  [{ type: ['string', 'integer'] }, '5'],
  [{ anyOf: [{ type: 'integer' }, { type: 'string' }] }, '5'],
  [{ enum: ['1', '2'] }, '1'],
  [{ enum: ['1', 1] }, '1'],
  [{ const: '7' }, '7'],
  [{}, '5'],
  [{}, { 0: '1' }],
  [{ type: 'object' }, { 0: 'x' }],
])('What the schema %j takes as it was sent stays as it is: %j.', (schema, sent) => {
  expect(read(schema, sent)).toEqual(sent);
});

test.each<[JsonObject, Json]>([
  [{ type: 'integer' }, '5x'],
  [{ type: 'integer' }, ''],
  [{ type: 'integer' }, ' 5'],
  [{ type: 'integer' }, '05'],
  [{ type: 'integer' }, '0x10'],
  [{ type: 'integer' }, '5.5'],
  [{ type: 'integer' }, '9007199254740993'],
  [{ type: 'number' }, '0.1234567890123456789'],
  [{ type: 'number' }, '1e400'],
  [{ type: 'array', items: { type: 'integer' } }, '[9007199254740993]'],
  [{ type: 'boolean' }, 'True'],
  [{ type: 'boolean' }, '1'],
  [{ type: 'array' }, { 1: '1' }],
  [{ type: 'array' }, 'x'],
  [{ anyOf: [{ type: 'array' }, { type: 'object' }] }, ''],
  [{ enum: [1, 2] }, '3'],
])('What the schema %j does not take, or not exactly, stays for it to refuse: %j.', (schema, sent) => {
  expect(read(schema, sent, definitions)).toEqual(sent);
});

describe('Where the whole decides what a text is,', () => {
  const kinds = {
    type: 'object',
    properties: { kind: { type: 'string' }, labels: { type: 'object' } },
    oneOf: [
      { properties: { kind: { const: 'sized' }, size: { type: 'integer' }, limit: { type: 'integer' } } },
      { properties: { kind: { const: 'named' }, size: { type: 'string' }, limit: { type: 'integer' } } },
    ],
  };
  const labels = { 0: '1', colour: '2', on: 'true' };

  test('Where the whole decides what a text is, the branch that the other members choose says it.', () => {
    const sent = { size: '5', limit: '7', labels };
    expect(coerceParameters(ruled(kinds), 'provision', { kind: 'sized', ...sent })).toEqual({
      kind: 'sized',
      size: 5,
      limit: 7,
      labels,
    });
    expect(coerceParameters(ruled(kinds), 'provision', { kind: 'named', ...sent })).toEqual({
      kind: 'named',
      size: '5',
      limit: 7,
      labels,
    });
  });

  test('Where the whole decides what a text is, nothing is taken when two ways are as good.', () => {
    const either: JsonObject = {
      properties: { a: {}, b: {} },
      anyOf: [{ properties: { a: { type: 'integer' } } }, { properties: { b: { type: 'integer' } } }],
    };
    const sent = { a: '1', b: '2' };
    expect(coerceParameters(ruled(either), 'provision', sent)).toEqual(sent);
  });

  test('Where the whole decides what a text is, many texts of which any could be something else are read in time.', () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_none, index) => [`m${index}`, '1']));
    const sent = { kind: 'sized', size: '5', labels: many };
    expect(coerceParameters(ruled(kinds), 'provision', sent)).toEqual({ ...sent, size: 5 });
  });
});

test('References that lead in a circle, or nowhere, say nothing.', () => {
  const definitions: JsonObject = { circle: { allOf: [{ $ref: '#/definitions/circle' }] } };
  for (const $ref of ['#/definitions/circle', '#/definitions/none', '#none', 'https://example.com/x#/y']) {
    const parameters = { properties: { a: { $ref } }, definitions };
    const schemas = { service_instance: { create: { parameters } } };
    expect(coerceParameters({ schemas }, 'provision', { a: '5' })).toEqual({ a: '5' });
  }
});

test('A plan without schemas takes what was sent.', () => {
  expect(coerceParameters(ruled(), 'provision', { a: '5' })).toEqual({ a: '5' });
  expect(coerceParameters({}, 'update', { a: '5' })).toEqual({ a: '5' });
});

test('An update sends what only a create may set as well: each is read by the rules that it has.', () => {
  const member = (name: string) => ({
    properties: { [name]: { type: 'integer' } },
    additionalProperties: false,
  });
  expect(coerceParameters(ruled(member('zone'), member('size')), 'update', { zone: '1' })).toEqual({
    zone: 1,
  });
  expect(coerceParameters(ruled(member('zone'), member('size')), 'update', { size: '1' })).toEqual({
    size: 1,
  });
});
