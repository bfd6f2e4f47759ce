import { readFileSync } from 'node:fs';
import { options } from '../../src/options.ts';
import { runProgram } from '../support/run-program.ts';

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

test('the version is that of package.json', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(await runProgram(['--version']).ended).toEqual({ code: 0, output: `${version}\n`, errors: '' });
});

test('a command that does not exist is refused with exit code 1', async () => {
  const { code, errors } = await runProgram(['sevre']).ended;
  expect(code).toBe(1);
  expect(errors).toMatch(/sevre/);
});
