import { performance } from 'node:perf_hooks';
import fc from 'fast-check';
import type { Json, JsonObject } from '../../src/broker/json.ts';
import { parameterCheck } from '../../src/catalog/parameters.ts';

const draft04 = 'http://json-schema.org/draft-04/schema#';

function check(schema: object, parameters: object): string | undefined {
  return parameterCheck({ $schema: draft04, type: 'object', ...schema } as JsonObject)(
    parameters as JsonObject,
  );
}

function property(rule: object, value: Json): string | undefined {
  return check({ additionalProperties: false, properties: { size: rule } }, { size: value });
}

test('Without a schema any object will do.', () => {
  expect(parameterCheck(undefined)({ anything: [1, { goes: null }] })).toBeUndefined();
});

describe('The sentence names the parameter', () => {
  test.each<[rule: object, value: Json, sentence: string]>([
    [{ type: 'string' }, 1, "The parameter 'size' must be a string."],
    [{ type: ['integer', 'null'] }, 'x', "The parameter 'size' must be a whole number or null."],
    [
      { enum: ['noeviction', 'allkeys-lru', 3] },
      'x',
      "The parameter 'size' must be one of noeviction, allkeys-lru, 3.",
    ],
    [{ minimum: 1 }, 0, "The parameter 'size' must be at least 1."],
    [{ maximum: 1, exclusiveMaximum: true }, 1, "The parameter 'size' must be less than 1."],
    [{ multipleOf: 2 }, 3, "The parameter 'size' must be a multiple of 2."],
    [{ minLength: 1 }, '', "The parameter 'size' must have at least 1 character."],
    [{ maxItems: 2 }, [1, 2, 3], "The parameter 'size' must have at most 2 items."],
    [
      { uniqueItems: true },
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      "The parameter 'size' must not hold the same item twice.",
    ],
    [{ pattern: '^[a-z]+$' }, 'X', "The parameter 'size' must match the pattern ^[a-z]+$."],
    [{ format: 'email' }, 'x', "The parameter 'size' must have the format email."],
    [{ not: {} }, 1, "The parameter 'size' does not have an allowed form."],
    [
      { anyOf: [{ type: 'string' }, { type: 'null' }] },
      1,
      "The parameter 'size' does not have an allowed form.",
    ],
    [{ items: { type: 'string' } }, ['a', 5], "The parameter 'size[1]' must be a string."],
    [
      { properties: { 'a/b': { type: 'string' } } },
      { 'a/b': 1 },
      `The parameter 'size["a/b"]' must be a string.`,
    ],
    [{ required: ['unit'] }, {}, "The parameter 'size.unit' is required."],
  ])('%j of %j: %s', (rule, value, sentence) => {
    expect(property(rule, value)).toBe(sentence);
  });

  test.each<[schema: object, parameters: object, sentence: string]>([
    [{ required: ['size'] }, {}, "The parameter 'size' is required."],
    [{ required: ['constructor'] }, {}, "The parameter 'constructor' is required."],
    [
      { additionalProperties: false, properties: { a: {}, b: {} } },
      { c: 1 },
      "There is no parameter 'c'. There are: a, b.",
    ],
    [{ additionalProperties: false }, { c: 1 }, "There is no parameter 'c'. None is allowed here."],
    [
      { additionalProperties: false },
      { ['c'.repeat(90)]: 1 },
      `There is no parameter '${'c'.repeat(80)}...'. None is allowed here.`,
    ],
    [
      { additionalProperties: false },
      JSON.parse('{"__proto__": 1}') as object,
      "There is no parameter '__proto__'. None is allowed here.",
    ],
    [{ minProperties: 1 }, {}, 'The parameters must have at least 1 member.'],
    [
      { anyOf: [{ required: ['a'] }, { required: ['b'] }] },
      {},
      "The parameters do not have an allowed form: the parameter 'a' is required, or the parameter 'b' is required.",
    ],
    [
      { properties: { a: { type: 'null' } }, required: ['b'], additionalProperties: false },
      { a: 1, c: 2, d: 3 },
      "The parameter 'b' is required. There is no parameter 'c'. There are: a. There is no parameter 'd'. There are: a. The parameter 'a' must be null.",
    ],
    [
      { additionalProperties: { type: 'null' } },
      Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`p${index}`, 1])),
      `${Array.from({ length: 10 }, (_, index) => `The parameter 'p${index}' must be null.`).join(' ')} And 40 more.`,
    ],
    [{ dependencies: { a: ['b'] } }, { a: 1 }, "The parameter 'b' is required."],
  ])('%j for %j: %s', (schema, parameters, sentence) => {
    expect(check(schema, parameters)).toBe(sentence);
  });

  test('The sentence about a parameter never repeats a value.', () => {
    const rules = [
      { type: 'integer' },
      { enum: ['a'] },
      { maxLength: 3 },
      { pattern: '^a$' },
      { format: 'uri' },
      { not: {} },
    ];
    for (const rule of rules) expect(property(rule, 'hunter2hunter2')).not.toContain('hunter2');
  });
});

describe('Each draft is read by its own rules', () => {
  const dialects = [
    'http://json-schema.org/draft-06/schema#',
    'http://json-schema.org/draft-07/schema#',
    'https://json-schema.org/draft/2019-09/schema',
    'https://json-schema.org/draft/2020-12/schema',
  ];
  const ways = (dialect: string) =>
    ['http://', 'https://'].flatMap((start) =>
      ['', '#'].map((end) => dialect.replace(/^https?:\/\//, start).replace(/#?$/, end)),
    );

  test.each(ways(draft04))('%s: exclusiveMinimum is yes or no, id is its name.', ($schema) => {
    expect(check({ $schema, properties: { a: { minimum: 1, exclusiveMinimum: true } } }, { a: 1 })).toBe(
      "The parameter 'a' must be more than 1.",
    );
    expect(
      check(
        {
          $schema,
          id: 'http://x/y',
          properties: { a: { $ref: '#/definitions/b' } },
          definitions: { b: { type: 'null' } },
        },
        { a: null },
      ),
    ).toBeUndefined();
  });

  test.each(dialects.flatMap(ways))('%s: exclusiveMinimum is a number, const is a value.', ($schema) => {
    expect(check({ $schema, properties: { a: { exclusiveMinimum: 1 } } }, { a: 1 })).toBe(
      "The parameter 'a' must be more than 1.",
    );
    expect(check({ $schema, properties: { a: { const: 1 } } }, { a: 2 })).toBe(
      "The parameter 'a' must be 1.",
    );
    expect(check({ $schema, properties: { a: false } }, { a: 2 })).toBe("The parameter 'a' is not allowed.");
    expect(check({ $schema, propertyNames: { pattern: '^a' } }, { b: 2 })).toBe(
      "The name of the parameter 'b' must match the pattern ^a.",
    );
  });

  test('07: if and then.', () => {
    const rule = JSON.parse('{"if": {"required": ["a"]}, "then": {"required": ["b"]}}') as object;
    const schema = { $schema: dialects[1], ...rule };
    expect(check(schema, { a: 1 })).toBe("The parameter 'b' is required.");
  });

  test('2019-09: dependentRequired and unevaluatedProperties.', () => {
    const schema = {
      $schema: dialects[2],
      allOf: [{ properties: { a: {} } }],
      dependentRequired: { a: ['b'] },
      unevaluatedProperties: false,
    };
    expect(check(schema, { a: 1 })).toBe("The parameter 'b' is required.");
    expect(check(schema, { c: 1 })).toBe("There is no parameter 'c'. None is allowed here.");
  });

  test('2020-12: prefixItems.', () => {
    const schema = {
      $schema: dialects[3],
      properties: { a: { prefixItems: [{ type: 'string' }], items: false } },
    };
    expect(check(schema, { a: ['x'] })).toBeUndefined();
    expect(check(schema, { a: [1] })).toBe("The parameter 'a[0]' must be a string.");
    expect(check(schema, { a: ['x', 2] })).toBe("The parameter 'a' must have at most 1 item.");
  });

  test('A name that two schemas share is no matter.', () => {
    const schema = { id: 'http://example.com/same', properties: { a: { type: 'string' } } };
    expect([check(schema, {}), check(schema, {})]).toEqual([undefined, undefined]);
  });
});

test('Two patterns of one schema are two.', () => {
  const schema = { properties: { a: { pattern: '^a$' }, b: { pattern: '^b$' } } };
  expect(check(schema, { a: 'a', b: 'b' })).toBeUndefined();
  expect(check(schema, { a: 'b', b: 'a' })).toBe(
    "The parameter 'a' must match the pattern ^a$. The parameter 'b' must match the pattern ^b$.",
  );
});

describe('A hostile value is judged at once', () => {
  const long = 'a'.repeat(50_000);
  test.each<[what: string, rule: object, value: Json]>([
    ['a pattern that V8 never ends', { pattern: '^(a+)+$' }, `${long}!`],
    ['alternatives that overlap', { pattern: '^(a|a|aa)*$' }, `${long}!`],
    [
      'the name of a parameter',
      { patternProperties: { '^(a+)+$': {} }, additionalProperties: false },
      { [`${long}!`]: 1 },
    ],
    ['an e-mail address', { format: 'email' }, `${'a.'.repeat(50_000)}@`],
    ['an address', { format: 'url' }, `http://${'a:@'.repeat(50_000)}!`],
    [
      'many different items',
      { uniqueItems: true },
      [...Array.from({ length: 5000 }, (_, index) => ({ index })), { index: 0 }],
    ],
    ['deep nesting', { properties: { a: { $ref: '#/properties/size' } } }, nested(100_000)],
  ])('A hostile value is judged at once: %s.', (_what, rule, value) => {
    const schema = parameterCheck({
      $schema: draft04,
      type: 'object',
      properties: { size: rule },
    } as JsonObject);
    const start = performance.now();
    expect(schema({ size: value })).toEqual(expect.any(String));
    expect(performance.now() - start).toBeLessThan(2000);
  });

  test('Nesting is refused beyond 64 levels, also where nothing else is asked.', () => {
    const any = parameterCheck(undefined);
    expect(any({ a: nested(63) })).toBeUndefined();
    expect(any({ a: nested(64) })).toBe('The parameters are nested more than 64 levels deep.');
  });

  test('A schema that goes in circles for some values refuses those.', () => {
    const schema = {
      properties: { a: { $ref: '#/definitions/b' } },
      definitions: { b: { allOf: [{ $ref: '#/definitions/b' }] } },
    };
    expect(check(schema, {})).toBeUndefined();
    expect(check(schema, { a: 1 })).toBe('The parameters cannot be checked by the rules of this plan.');
  });
});

test('Whatever JSON the parameters are, a check gives a sentence or nothing, and leaves them alone.', () => {
  const schema = parameterCheck({
    $schema: draft04,
    type: 'object',
    additionalProperties: {
      anyOf: [{ type: 'string', pattern: '^a' }, { type: 'array', uniqueItems: true }, { minimum: 5 }],
    },
  });
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue() as fc.Arbitrary<Json>), (parameters) => {
      const before = JSON.stringify(parameters);
      expect(['string', 'undefined']).toContain(typeof schema(parameters));
      expect(JSON.stringify(parameters)).toBe(before);
    }),
  );
});

function nested(levels: number): Json {
  let value: Json = 1;
  for (let level = 0; level < levels; level += 1) value = { a: value };
  return value;
}
