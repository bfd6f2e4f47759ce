import { anOffering, aPlan, linesOf } from './folder.ts';
import { type Row, at, created, holds } from './rule-rows.ts';

/** The rules for parameters: what the specification and the platforms demand of schemas. */

describe('Parameters', () => {
  test.each<Row>([
    [
      'are described in one way',
      { parameters: {}, schemas: {} },
      ['parameters: There are schemas too: give one of the two.'],
    ],
    ['are described by a plan in its own way', { parameters: {}, plans: [aPlan({ schemas: {} })] }, []],
    [
      'have a default that is allowed',
      { parameters: { size: { type: 'integer', maximum: 3, default: 4 } } },
      ["parameters.size.default: The parameter 'size' must be at most 3."],
    ],
    [
      'have patterns that can be read',
      { parameters: { name: { type: 'string', pattern: '(a' } } },
      [
        'parameters.name.pattern: The pattern is no regular expression: Invalid regular expression: /(a/: Unterminated group.',
      ],
    ],
    [
      'have patterns of any kind, in lists too, and defaults that match them',
      {
        parameters: {
          names: { type: 'array', items: { type: 'string', pattern: '(a)\\1' }, default: ['aa'] },
          label: { type: 'string', pattern: '^(?!-)[a-z-]{0,1024}$', default: 'a-b' },
          path: { type: 'string', pattern: '(?<=/)x', default: 'x' },
        },
      },
      ["parameters.path.default: The parameter 'path' must match the pattern (?<=/)x."],
    ],
    [
      'have one name each',
      { parameters: { 'a b': { type: 'string' } } },
      ['parameters["a b"]: The name must be letters, digits, _ and -, no digit first.'],
    ],
  ])('Parameters: %s.', holds);

  test.each<Row>([
    [
      'names its draft',
      created({ $schema: undefined }),
      [`${at}.$schema: The schema must name its draft here.`],
    ],
    [
      'names an old draft, which is read as draft 04',
      created({ $schema: 'http://json-schema.org/draft-03/schema#' }),
      [
        `${at}.$schema: This old draft is read as draft-04; name that one, which is understood everywhere. (warning)`,
      ],
    ],
    ['names no draft in particular', created({ $schema: 'http://json-schema.org/schema#' }), []],
    [
      'names a draft that is known',
      created({ $schema: 'http://json-schema.org/draft-12/schema#' }),
      [
        `${at}.$schema: The draft is not known. There are: http://json-schema.org/{draft-04,draft-06,draft-07,draft/2019-09,draft/2020-12}/schema#.`,
      ],
    ],
    [
      'names a draft with http, or Cloud Controller does not know it',
      created({ $schema: 'https://json-schema.org/draft-04/schema' }),
      [
        `${at}.$schema: Cloud Controller refuses a catalog with this name of the draft: it must begin with http://. (warning)`,
      ],
    ],
    [
      'in draft 06 is understood by Cloud Controller',
      created({ $schema: 'http://json-schema.org/draft-06/schema#' }),
      [],
    ],
    [
      'in draft 06 is held against draft 04',
      created({
        $schema: 'http://json-schema.org/draft-06/schema#',
        properties: { a: { exclusiveMinimum: 1 } },
      }),
      [
        `${at}.properties.a.exclusiveMinimum: Cloud Controller reads this as draft-04, and there: The value must be true or false. (warning)`,
        `${at}.properties.a.minimum: Cloud Controller reads this as draft-04, and there: The key is missing. (warning)`,
      ],
    ],
    [
      'in draft 07 is refused by Cloud Controller',
      created({ $schema: 'http://json-schema.org/draft-07/schema#' }),
      [
        `${at}.$schema: Cloud Controller refuses a catalog with this draft; draft-04 is understood everywhere. (warning)`,
      ],
    ],
    [
      'in draft 2020 is refused by Cloud Controller',
      created({ $schema: 'https://json-schema.org/draft/2020-12/schema' }),
      [
        `${at}.$schema: Cloud Controller refuses a catalog with this draft; draft-04 is understood everywhere. (warning)`,
      ],
    ],
    [
      'describes an object',
      created({ type: 'array' }),
      [`${at}: Parameters are an object: the schema should have type: object. (warning)`],
    ],
    [
      'obeys its draft',
      created({ properties: { a: { type: 'text' } } }),
      [`${at}.properties.a.type: The value does not have an allowed form.`],
    ],
    [
      'obeys its draft, draft 04 with an empty required',
      created({ required: [] }),
      [`${at}.required: The value must have at least 1 item.`],
    ],
    [
      'refers to itself alone',
      created({ properties: { a: { $ref: 'https://example.com/a' } } }),
      [`${at}.properties.a.$ref: A reference must stay inside the schema: it starts with #.`],
    ],
    [
      'may have a parameter of the name $ref',
      created({ properties: { $ref: { enum: [{ $ref: 'x' }] } } }),
      [],
    ],
    [
      'refers to what is there',
      created({ properties: { a: { $ref: '#/definitions/b' } } }),
      [`${at}: The schema cannot be used: can't resolve reference #/definitions/b from id #.`],
    ],
    [
      'does not refer in circles',
      created({ allOf: [{ $ref: '#' }] }),
      [`${at}: The schema cannot be used: it refers to itself without end.`],
    ],
    [
      'has patterns that can be read',
      created({ patternProperties: { '^(?!x)': {}, '[a': {} } }),
      [
        `${at}.patternProperties["[a"]: The pattern is no regular expression: Invalid regular expression: /[a/: Unterminated character class.`,
      ],
    ],
    ['is no promise', created({ $async: true }), [`${at}.$async: There is no such keyword.`]],
    [
      'has defaults that are allowed',
      created({
        properties: { a: { $ref: '#/definitions/b', default: 1 } },
        definitions: { b: { type: 'string' } },
      }),
      [`${at}.properties.a.default: The parameter 'a' must be a string.`],
    ],
    [
      'has defaults that are allowed by rules for several parameters, too',
      created({
        properties: { a: { type: 'string', default: 'x' } },
        patternProperties: { '^a$': { minLength: 2 } },
      }),
      [`${at}.properties.a.default: The parameter 'a' must have at least 2 characters.`],
    ],
  ])('A full schema %s.', holds);

  test('A full schema has at most 64 kB.', async () => {
    const fits = created({ description: 'x'.repeat(65_400) });
    const large = created({ description: 'é'.repeat(32_760) });
    expect(await linesOf(anOffering(fits))).toEqual([]);
    expect(await linesOf(anOffering(large))).toEqual([
      expect.stringMatching(/parameters: The schema has 65\d+ bytes of JSON; 65536 are allowed\.$/),
    ]);
  });

  test('A full schema has at most 64 levels.', async () => {
    const deep = Array.from({ length: 40 }).reduce<object>((inner) => ({ items: inner }), {});
    const lines = await linesOf(anOffering(created({ properties: { a: deep } })));
    expect(lines).toEqual([]);
    const deeper = Array.from({ length: 50 }).reduce<object>((inner) => ({ not: { not: inner } }), {});
    expect((await linesOf(anOffering(created({ properties: { a: deeper } })))).join()).toContain(
      'nested more than 64',
    );
  });
});
