import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { acceptance } from '../support/acceptance.ts';
import { beyond, must, platforms, should, unmet } from '../support/requirements.ts';

/** Every requirement is shown by a test that names it in its title: `... [PRV-09, CON-01]`, or `A9, P10: ...`. */

const lists = [must, should, beyond, platforms, acceptance];

const root = join(import.meta.dirname, '../..');
const id = String.raw`(?:[A-Z]{3}-\d{2}(?:\.[a-z-]+)?|[A-Z]\d{1,2})`;
const ids = String.raw`(${id}(?:, ${id})*)`;
const citation = new RegExp(String.raw`\[${ids}\]|(?<=['"\`])${ids}: `, 'g');

/** Id to the files whose tests name it. */
const cited = new Map<string, Set<string>>();
for (const file of globSync('test/**/*.test.ts', { cwd: root })) {
  if (file.endsWith('coverage.test.ts')) continue;
  const text = readFileSync(join(root, file), 'utf8').replaceAll(/^\s*(?:\/\/|\*|\/\*).*$/gm, '');
  for (const [, behind, before] of text.matchAll(citation)) {
    for (const one of (behind ?? before ?? '').split(', '))
      cited.set(one, (cited.get(one) ?? new Set()).add(file));
  }
}

test.each([
  ['MUST', must],
  ['SHOULD', should],
])(
  'Every %s of the specification is shown by a test, or a decision says why it is not met.',
  (_level, all) => {
    expect(Object.keys(all).filter((one) => !cited.has(one) && !(one in unmet))).toEqual([]);
  },
);

test('Every point of the real platforms is shown by a test.', () => {
  expect(Object.keys(platforms).filter((one) => !cited.has(one))).toEqual([]);
});

test('Everything that the broker must do beyond the specification is shown by a test.', () => {
  expect(Object.keys(acceptance).filter((one) => !cited.has(one))).toEqual([]);
});

test('Titles name only requirements that there are.', () => {
  const known = new Set(lists.flatMap((list) => Object.keys(list)));
  const unknown = [...cited]
    .filter(([one]) => !known.has(one))
    .map(([one, files]) => `${one}: ${[...files].join()}`);
  expect(unknown).toEqual([]);
});

test('Each requirement stands in one list only, and says something.', () => {
  const all = lists.flatMap((list) => Object.entries(list));
  expect(new Set(all.map(([one]) => one)).size).toBe(all.length);
  for (const [one, says] of all) {
    expect(one).toMatch(new RegExp(`^${id}$`));
    expect(says).toMatch(/^[A-Z0-9].+\.$/);
  }
});

test('What is not met has its record of the decision.', () => {
  const records = readdirSync(join(root, 'docs/decisions')).map((file) => Number(file.slice(0, 4)));
  for (const decision of Object.values(unmet)) expect(records).toContain(decision);
});
