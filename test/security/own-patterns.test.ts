import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';

/** No pattern of this program takes long for any text: what strangers send is held against many of them. */

const root = join(import.meta.dirname, '../..');

/** As they stand in the source. Between two divisions something may be found that is none; it does no harm. */
const literal =
  /(?<=[=(,:[!&|?{};>\s])\/(?![*/\s])((?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)(?=[\s.,;)\]}:])/g;

interface Pattern {
  readonly source: string;
  readonly flags: string;
}

const patterns = new Map<string, Pattern>();
for (const file of globSync('src/**/*.ts', { cwd: root }))
  for (const [, source = '', flags = ''] of readFileSync(join(root, file), 'utf8').matchAll(literal))
    if (isPattern(source, flags))
      patterns.set(`/${source}/${flags}`, { source, flags: flags.replace(/[gy]/g, '') });

function isPattern(source: string, flags: string): boolean {
  try {
    return new RegExp(source, flags).source !== '';
  } catch {
    return false;
  }
}

const length = 6000;
/** Repeated, and followed by something that fits nowhere. */
const parts = [
  ...Array.from('a0 -._/:,;=%@"\'\\{}[]()<>*#$\n\tÄ'),
  'a ',
  'a-',
  'a.',
  '0.',
  'a,',
  '{{',
  '}}',
  '%41',
  '\\"',
  'a/',
  '--',
  '::',
  ': ',
  'A0',
];
const texts = parts.flatMap((part) =>
  ['', 'a', '"', '{{', '$scrypt$'].map((before) => before + part.repeat(length / part.length) + '\0'),
);

test('Patterns of the source are found, among them one that was looked for by hand.', () => {
  expect(patterns.size).toBeGreaterThan(200);
  expect([...patterns.keys()]).toEqual(expect.arrayContaining(['/^Bearer +(\\S+) *$/i']));
});

test('Patterns are done at once with texts that repeat whatever may be repeated.', () => {
  const slow: string[] = [];
  for (const [name, { source, flags }] of patterns) {
    const pattern = new RegExp(source, flags);
    const sandbox = { pattern, texts };
    try {
      // As long as a busy machine could take for all of them, and no pattern that grows faster than the square.
      runInNewContext('for (const text of texts) pattern.test(text)', sandbox, { timeout: 20_000 });
    } catch {
      slow.push(name);
    }
  }
  expect(slow).toEqual([]);
});

test('A pattern that thinks about a text for years would be found.', () => {
  const sandbox = { pattern: /^(a+)+$/, texts };
  expect(() =>
    runInNewContext('for (const text of texts) pattern.test(text)', sandbox, { timeout: 500 }),
  ).toThrow(/timed out/);
});
