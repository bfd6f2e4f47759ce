import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { options } from '../src/program/config.ts';
import { asPattern, stepsIn, walk, type WalkStep } from './support/page-walk.ts';
import { startedBrokers } from './support/started-brokers.ts';
import { tableAfter } from './support/page-table.ts';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

test('The table of options is the one that the program reads.', () => {
  const expected = Object.values(options).map(({ name, standard, otherwise, meaning }) => [
    `\`${name}\``,
    standard === undefined ? (otherwise ?? '') : `\`${standard}\``,
    meaning,
  ]);
  expect(tableAfter(readme, 'options').rows).toEqual(expected);
});

test('The table of refusals names every reason that there is.', () => {
  const source = readFileSync(join(root, 'src/broker/errors.ts'), 'utf8');
  const [, union = ''] = /type RefusalCode =([\s\S]*?;[^\n]*)\n\n/.exec(source) ?? [];
  const expected = [...union.matchAll(/\| '([a-z-]+)';? *\/\/ (.*)/g)].map(([, code, meaning]) => [
    `\`${code}\``,
    meaning,
  ]);
  expect(expected.length).toBeGreaterThan(5);
  expect(tableAfter(readme, 'refusals').rows).toEqual(expected);
});

test('Every link to a file of the project leads somewhere.', () => {
  const links = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path = '']) => path);
  expect(links.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test('Every link within the page leads to a heading.', () => {
  const anchors = [...readme.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title.toLowerCase().replaceAll(' ', '-'),
  );
  const links = [...readme.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor = '']) => anchor);
  expect(links.filter((anchor) => !anchors.includes(anchor))).toEqual([]);
});

describe('The first walk', () => {
  const brokers = startedBrokers();

  test('The first walk prints in a shell what the README shows.', async () => {
    const steps = stepsAfter('A first walk');
    expect(steps.length).toBeGreaterThan(7);
    const { expected, printed } = await walk(brokers, steps);
    for (const [index, shown] of expected.entries()) expect(printed[index]).toMatch(asPattern(shown));
  });
});

describe('What a platform says', () => {
  const brokers = startedBrokers();

  test('What a platform says is answered as the README shows, and with 410 at the end.', async () => {
    const steps = stepsAfter('What a platform says');
    expect(steps.length).toBeGreaterThan(7);
    // Tells the status of the last one.
    const last = `${steps.at(-1)?.command} -o /dev/null -w '%{http_code}'`;
    const { expected, printed } = await walk(brokers, steps, { more: last });
    for (const [index, shown] of expected.entries()) expect(printed[index]).toMatch(asPattern(shown));
    expect(printed.at(-1)).toBe('410');
  });
});

const redis = spawnSync('redis-server', ['--version']).status === 0;

(redis ? describe : describe.skip)(`A real Redis${redis ? '' : ' (redis-server is not here)'}`, () => {
  const brokers = startedBrokers();

  test('A real Redis is made, used, looked at and removed in a shell as the README shows.', async () => {
    const steps = stepsAfter('A real Redis');
    expect(steps.length).toBeGreaterThan(7);
    const begin = stepsAfter('A first walk').slice(0, 1);
    const { expected, printed } = await walk(brokers, [...begin, ...steps]);
    for (const [index, shown] of expected.entries()) expect(printed[index]).toMatch(asPattern(shown));
  });
});

/** Commands of the first console block after a heading, each with what the page shows as its output. */
function stepsAfter(heading: string): WalkStep[] {
  const [, after = ''] = readme.split(`## ${heading}\n`);
  const [block = ''] = /```console\n[\s\S]*?```/.exec(after) ?? [];
  return stepsIn(block);
}
