import { Refusal } from '../../src/broker/errors.ts';
import { decideParameters } from '../../src/broker/requests/decide-parameters.ts';
import type { JsonObject } from '../../src/broker/json.ts';
import { withShortRepeats } from '../../src/catalog/json-schema/repeats.ts';
import { parameterCheck } from '../../src/catalog/parameters.ts';

/** Patterns of any kind, none of which keeps the broker busy. */

const checkOf = (schema: object) =>
  parameterCheck({ $schema: 'http://json-schema.org/draft-04/schema#', type: 'object', ...schema });

function judge(schema: object, parameters: JsonObject): Promise<string | undefined> {
  const check = checkOf(schema);
  return decideParameters(parameters, () => check(parameters));
}

test.each<[pattern: string, right: string, wrong: string]>([
  ['^(?!-)[a-z-]+$', 'a-b', '-a'],
  ['^(?=.*[0-9])[a-z0-9]+$', 'a1', 'ab'],
  ['(?<=/)x$', 'a/x', 'ax'],
  ['^(a|b)\\1$', 'bb', 'ab'],
  ['^[a-z]{0,1024}$', 'x'.repeat(1024), 'x'.repeat(1025)],
  ['^(?:ab){2,1500}$', 'ab'.repeat(1500), 'ab'.repeat(1501)],
  ['^\\w{1001,}$', 'x'.repeat(1001), 'x'.repeat(1000)],
  ['^[\\w\\-\\@]+$', 'a-b@c', 'a b'],
])('The pattern %s tells right from wrong.', async (pattern, right, wrong) => {
  const schema = { properties: { a: { type: 'string', pattern } } };
  expect(await judge(schema, { a: right })).toBeUndefined();
  expect(await judge(schema, { a: wrong })).toBe(`The parameter 'a' must match the pattern ${pattern}.`);
});

test('Patterns of names, and those in rules that must not hold, are answered before the check is.', async () => {
  const schema = {
    patternProperties: { '^(?!x)': { type: 'integer' } },
    not: {
      properties: { a: { enum: [7] } },
      patternProperties: { '^(?=b)': { enum: [1] } },
      required: ['b'],
    },
  };
  expect(await judge(schema, { x: 'text', a: 1, b: 2 })).toBeUndefined();
  expect(await judge(schema, { a: 'text' })).toBe("The parameter 'a' must be a whole number.");
  expect(await judge(schema, { a: 7, b: 1 })).toMatch(/do not have an allowed form/);
});

test('A text that a pattern would think about for years is refused by its name, and the event loop goes on meanwhile.', async () => {
  const schema = { properties: { list: { items: { type: 'string', pattern: '^(?!b)(a+)+$' } } } };
  let longest = 0;
  let last = performance.now();
  const beat = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 5);
  try {
    const slow = judge(schema, { list: ['a', `${'a'.repeat(60)}!`] });
    await expect(slow).rejects.toThrow(Refusal);
    await expect(slow).rejects.toThrow(
      "The parameter 'list[1]' takes too long to be checked. Try a shorter or simpler value.",
    );
  } finally {
    clearInterval(beat);
  }
  expect(longest).toBeLessThan(5000);
  // Another thread has taken the place of the one that was ended.
  expect(await judge(schema, { list: ['aaa'] })).toBeUndefined();
});

test.each([
  ['a{0,1024}b', 'a{0,1000}a{0,24}b'],
  ['[x\\]]{1500}', '[x\\]]{1000,1000}[x\\]]{500,500}'],
  ['\\d{5,1200}?', '\\d{5,1000}\\d{0,200}?'],
  ['\\p{L}{1001,}', '\\p{L}{1000,1000}\\p{L}{1,1}\\p{L}*'],
  ['\\{2000}', '\\{2000}'],
  ['[{2000}]', '[{2000}]'],
  ['(ab){0,1024}', '(ab){0,1024}'],
  ['a{0,99999}', 'a{0,99999}'],
  ['a{3}', 'a{3}'],
])('The repetitions of %s become %s.', (pattern, short) => {
  expect(withShortRepeats(pattern)).toBe(short);
});
