// What a run of all tests says of a file that is red once.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchDirectory } from './support/scratch-directory.ts';

const script = join(import.meta.dirname, 'support/run-jest.ts');
const steady = `test('A steady test is green.', () => {});`;
const broken = `test('A broken test is red.', () => { throw new Error('broken for good'); });`;
const flaky = `const { existsSync, writeFileSync } = require('fs');
  test('A flaky test is red the first time.', () => {
    const seen = __filename + '.seen';
    if (!existsSync(seen)) { writeFileSync(seen, ''); throw new Error('broken once'); }
  });`;

/** Of a project with these tests. */
function ran(tests: readonly string[], ...args: readonly string[]) {
  const directory = join(scratchDirectory('run-jest'), 'project');
  mkdirSync(directory);
  for (const [n, text] of tests.entries()) writeFileSync(join(directory, `${n}.test.cjs`), text);
  const config = { rootDir: directory, testMatch: ['**/*.test.cjs'], transform: {} };
  const all = [script, `--config=${JSON.stringify(config)}`, ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, all, { encoding: 'utf8', cwd: directory });
  return { status, stdout, stderr };
}

test('A run of all tests is green when all are, and runs nothing twice.', () => {
  const { status, stdout } = ran([steady]);
  expect([status, stdout]).toEqual([0, '']);
});

test('A run of all tests runs a file that is red once more by itself, and names it also when it is green then.', () => {
  const { status, stdout, stderr } = ran([steady, flaky]);
  expect([status, stderr]).toEqual([0, expect.stringContaining('broken once')]);
  expect(stdout).toMatch(/Red beside others, green by themselves, and to be mended:\n\S+1\.test\.cjs\n$/);
});

test.each([
  ['a file is red twice', [broken, flaky], []],
  ['more than three files are red', [flaky, flaky, flaky, flaky], []],
  ['the file was asked for by its name', [flaky], ['0.test']],
])('A run of all tests is red when %s.', (_when, tests, args) => {
  expect(ran(tests, ...args).status).toBe(1);
});
