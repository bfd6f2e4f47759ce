import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { completionPoints } from '../../src/cli/completion/points.ts';
import { ourProgram } from '../../src/cli/index.ts';
import { runProgram } from '../support/run-program.ts';
import { isInstalled, offeredBy, shells, type Shell } from '../support/shells.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

// Each starts shells and the program.
const points = completionPoints(ourProgram().root);
const scratch = scratchDirectory('completion');
const fileOf = (shell: Shell) => join(scratch, `purveyor.${shell}`);
const scripts = new Map<Shell, string>();
beforeAll(async () => {
  for (const shell of shells) {
    const { code, output, errors } = await runProgram(['completion', shell]).ended;
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    scripts.set(shell, output);
    writeFileSync(fileOf(shell), output);
  }
});

test('Completion points hold every command with its options and choices', () => {
  expect(points.find(({ path }) => path === 'completion')?.arguments).toEqual([['bash', 'zsh', 'fish']]);
  const log = points.find(({ path }) => path === 'instances log');
  expect(log?.options.map(({ name }) => name)).toEqual(['--unit', '--lines', '--json', '--help']);
  expect(points.length).toBeGreaterThan(20);
});

test.each(shells)('Completion of %s names every command, option and choice', (shell) => {
  const script = scripts.get(shell) ?? '';
  for (const { path, commands, options, arguments: args } of points) {
    const lines = script.split('\n').filter((line) => line.includes(path));
    const names = options.map(({ name }) => (shell === 'fish' ? `-l ${name.slice(2)}` : name));
    for (const word of [...commands.map(({ name }) => name), ...args.flat(), ...names])
      expect({ path, word, stands: lines.some((line) => line.includes(word)) }).toMatchObject({
        stands: true,
      });
  }
});

test.each([
  ['zsh', '#compdef purveyor\n'],
  ['bash', '# Completion of purveyor for bash.\n'],
  ['fish', '# Completion of purveyor for fish.\n'],
] as const)('Completion of %s begins as its shell wants it', (shell, first) => {
  expect(scripts.get(shell)?.startsWith(first)).toBe(true);
});

describe.each(shells)('%s', (shell) => {
  const here = isInstalled(shell) ? test : test.skip;
  const offered = (line: string) => [...offeredBy(shell, fileOf(shell), line.split(' '))].toSorted();

  here(`offers at every point of the table what stands there (${shell})`, () => {
    for (const { path, commands, options, arguments: args } of points) {
      const before = path === '' ? '' : `${path} `;
      if (commands.length > 0)
        expect({ path, offered: offered(before) }).toEqual({
          path,
          offered: commands.map(({ name }) => name).toSorted(),
        });
      const [choices = []] = args;
      if (choices.length > 0) expect(offered(before)).toEqual([...choices].toSorted());
      expect({ path, offered: offered(`${before}--`) }).toEqual({
        path,
        offered: options.map(({ name }) => name).toSorted(),
      });
    }
  });

  here.each([
    ['inst', ['instances']],
    ['instances st', ['start', 'stop']],
    ['instances --node show st', ['start', 'stop']],
    ['instances --wide st', ['start', 'stop']],
    ['instances log i1 --l', ['--lines']],
    ['instances log show --l', ['--lines']],
    ['instances exec i1 -- ls --un', []],
    ['help instances st', ['start', 'stop']],
    ['completion z', ['zsh']],
    ['completion zsh z', []],
    ['bogus z', []],
  ])(`offers for "%s" what fits (${shell})`, (line, fitting) => {
    expect(offered(line)).toEqual(fitting);
  });
});
