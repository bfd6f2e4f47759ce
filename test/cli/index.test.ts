import { jest } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { options } from '../../src/options.ts';
import { runProgram } from '../support/run-program.ts';

// Each starts the program.
jest.setTimeout(30_000);

test('help lists the commands and every option with its default', async () => {
  const { code, output, errors } = await runProgram(['--help']).ended;
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  for (const command of ['serve', 'catalog', 'rekey', 'config']) expect(output).toContain(`  ${command}`);
  for (const { name, meaning } of Object.values(options)) {
    expect(output).toContain(name);
    expect(output).toContain(meaning);
  }
});

test('the help of a group lists its commands', async () => {
  const { output } = await runProgram(['catalog', '--help']).ended;
  expect(output).toMatch(/lint \[directories\.\.\.\]/);
});

test.each([
  ['help', '--help'],
  ['help rekey', 'rekey --help'],
  ['help instances show', 'instances show --help'],
])('%s is %s', async (words, flags) => {
  const asked = await runProgram(words.split(' ')).ended;
  expect(asked).toEqual(await runProgram(flags.split(' ')).ended);
  expect(asked).toMatchObject({ code: 0, errors: '', output: expect.stringMatching(/^Usage: /) });
});

test('the version is that of package.json', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(await runProgram(['--version']).ended).toEqual({ code: 0, output: `${version}\n`, errors: '' });
});

test.each([
  ['bogus', "There is no command 'bogus'. See --help."],
  ['help bogus', "There is no command 'bogus'. See --help."],
  ['help instances bogus', "There is no command 'instances bogus'. See instances --help."],
  ['sevre', "There is no command 'sevre'. Near to it: serve. See --help."],
  ['instances bogus', "There is no command 'instances bogus'. See instances --help."],
  [
    'instances stat i1',
    "There is no command 'instances stat'. Near to it: instances start, instances stop. See instances --help.",
  ],
  ['catalog check', "There is no command 'catalog check'. See catalog --help."],
])('%s: a command that does not exist is refused with exit code 1', async (words, sentence) => {
  const errors = `purveyor: ${sentence}\n`;
  expect(await runProgram(words.split(' ')).ended).toEqual({ code: 1, output: '', errors });
});
