import fc from 'fast-check';
import { parseJsonText } from '../../src/http/json-text.ts';

const read = (text: string) => parseJsonText(Buffer.from(text));

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth);
}

test('Every JSON document without repeated names passes and keeps its value.', () => {
  const spaces = fc.constantFrom(undefined, 1, '\t');
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8, stringUnit: 'binary' }), spaces, (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      if (!text.includes('"__proto__"')) expect(read(text)).toEqual(JSON.parse(text));
    }),
  );
});

test('Every repeated name is found, however it is spelled and wherever it stands.', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.jsonValue(), fc.jsonValue(), (name, first, second) => {
      fc.pre(name !== '__proto__' && name.isWellFormed());
      const escaped = [
        ...Buffer.from(name, 'utf16le')
          .toString('hex')
          .matchAll(/(..)(..)/g),
      ]
        .map(([, low, high]) => `\\u${high}${low}`)
        .join('');
      const object = `{${JSON.stringify(name)}:${JSON.stringify(first)},"${escaped}":${JSON.stringify(second)}}`;
      const harmless = `${object}${JSON.stringify([first, second])}`.includes('__proto__');
      if (!harmless) expect(() => read(`[1,{"in":${object}}]`)).toThrow(/twice/);
    }),
  );
});

test.each([
  ['a byte order mark', '\uFEFF{"a":1}', { a: 1 }],
  ['white space around', ' \n{ "a" : [ 1 , { } ] }\t', { a: [1, {}] }],
  ['equal names in different objects', '{"a":{"a":1},"b":{"a":2}}', { a: { a: 1 }, b: { a: 2 } }],
  ['a value that equals a name', '{"a":"b","b":"a"}', { a: 'b', b: 'a' }],
  ['brackets and quotes within texts', '{"a":"{\\"a\\":[","b":"\\\\"}', { a: '{"a":[', b: '\\' }],
  [
    'numbers of all forms',
    '[0,-0.5,1e2,1E-400,123456789012345678901]',
    [0, -0.5, 100, 0, 123456789012345680000],
  ],
  ['literals', '[true,false,null]', [true, false, null]],
  [
    'the names constructor and prototype',
    '{"constructor":1,"prototype":2}',
    { constructor: 1, prototype: 2 },
  ],
])('%s is accepted.', (_what, text, value) => {
  expect(read(text)).toEqual(value);
});

test.each([
  ['a repeated name', '{"plan_id":"a","plan_id":"a"}', "names the member 'plan_id' twice"],
  ['a repeated name that is escaped', '{"ab":1,"a\\u0062":2}', "names the member 'ab' twice"],
  ['a repeated name deep inside', '{"a":[{"b":1},{"b":1,"c":[],"b":1}]}', "names the member 'b' twice"],
  ['__proto__', '{"__proto__":{}}', '__proto__'],
  ['__proto__ escaped and deep', '{"a":[{"_\\u005fproto__":1}]}', '__proto__'],
  ['101 levels', nested(101), 'deeper than 100 levels'],
  ['100,000 levels', nested(100_000), 'deeper than 100 levels'],
  ['a number beyond all bounds', '{"a":1e400}', "too large: 'a'"],
  ['a whole number beyond 2^53', '{"parameters":{"id":9007199254740993}}', "'parameters.id'"],
  [
    'a negative one in a list',
    '{"parameters":{"ids":[1,{"a":[]},-12345678901234567891]}}',
    "'parameters.ids[2]'",
  ],
  [
    'a fraction with more digits than are kept',
    '{"a":[1,2],"parameters":{"b":{"c":0.1234567890123456789}}}',
    "'parameters.b.c'",
  ],
  ['a number that would become nothing', '{"parameters":{"x":1e-400}}', "'parameters.x'"],
  ['a very long number beyond all bounds', `[-${'9'.repeat(400)}]`, 'too large'],
  ['an open bracket', '{"a":1', 'not valid JSON'],
  ['a comment', '{"a":1/* */}', 'not valid JSON'],
  ['a trailing comma', '{"a":1,}', 'not valid JSON'],
  ['NaN', '{"a":NaN}', 'not valid JSON'],
  ['two documents', '{}{}', 'not valid JSON'],
])('%s is refused with 400.', (_what, text, sentence) => {
  expect(() => read(text)).toThrow(
    expect.objectContaining({ status: 400, message: expect.stringContaining(sentence) }),
  );
});

test('Any double and any whole number up to 2^53 passes in parameters, however it is written.', () => {
  const written = (value: number) => [
    String(value),
    value.toExponential(),
    `${value.toExponential()}`.replace('e', '00E'),
  ];
  fc.assert(
    fc.property(
      fc.oneof(fc.maxSafeInteger(), fc.double({ noNaN: true, noDefaultInfinity: true })),
      (value) => {
        for (const text of written(value).filter((form) => !/^[^.]*00E/.test(form))) {
          expect(read(`{"parameters":{"a":${text}}}`)).toEqual({ parameters: { a: Number(text) } });
        }
      },
    ),
  );
  expect(
    read('{"parameters":{"a":[1.50,0.0,-0,100,1e2,9007199254740992]},"context":{"t":12345678901234567891}}'),
  ).toEqual({
    parameters: { a: [1.5, 0, -0, 100, 100, 9007199254740992] },
    context: { t: Number('12345678901234567891') },
  });
});

test('100 levels are accepted.', () => {
  expect(() => read(nested(100))).not.toThrow();
});

test('Bytes that are not UTF-8 are refused with 400, and the next body is not affected.', () => {
  expect(() => parseJsonText(Buffer.from([0x22, 0xc3, 0x22]))).toThrow(
    'The request body is not valid UTF-8.',
  );
  expect(read('"ü"')).toBe('ü');
});

test('The refusal never quotes the body.', () => {
  expect(() => read('{"password": secret}')).toThrow('The request body is not valid JSON.');
});
