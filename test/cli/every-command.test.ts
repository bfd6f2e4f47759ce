import type { Command } from 'commander';
import { ourProgram } from '../../src/cli/index.ts';
import { runInGroup, runProgram } from '../support/run-program.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

/** What a command does, programs can have done too, and people find out. Shells are held to it in completion.test.ts. */

const commands = commandsOf(ourProgram().root, '');
const scratch = scratchDirectory('every-command');

/** What tells nothing that is read as JSON, and why. */
const withoutJson: Readonly<Record<string, string>> = {
  serve: 'It ends when it is told to, and its log is JSON by LOG_FORMAT.',
  completion: 'It prints what a shell reads.',
};

test('Every command has --json, or a reason why not', () => {
  const missing = commands.filter(({ options }) => !options.includes('--json')).map(({ words }) => words);
  expect(missing).toEqual(Object.keys(withoutJson));
});

test('The help of every command says how it is used, and what it, its arguments and its options are', () => {
  expect(commands.length).toBeGreaterThan(60);
  for (const { words, help, options, meanings } of commands) {
    expect(help).toMatch(new RegExp(`^Usage: purveyor ${words}( |\\n)`));
    for (const name of options)
      expect({ words, help }).toMatchObject({ help: expect.stringContaining(name) });
    for (const [name, meaning] of meanings)
      expect({ words, name, meaning }).toMatchObject({ meaning: expect.stringMatching(/\S{2,}/) });
  }
});

test.each([
  ['hash-password', { hash: expect.stringMatching(/^\$scrypt\$/) }],
  [`catalog new cache --directory ${scratch}`, { written: [`${scratch}/cache.yaml`] }],
  ['catalog schema', { type: 'object' }],
  [
    'register cf',
    { commands: ['CF_BROKER_PASSWORD="$BROKER_PASSWORD" cf create-service-broker purveyor broker http://x'] },
  ],
])('The command %s tells by --json, and nothing beside it, what it tells people', async (words, told) => {
  const env = { PUBLIC_URL: 'http://x', BROKER_PASSWORD: 'a-password' };
  const line = `echo a-password | '${process.execPath}' src/start.js ${words} --json`;
  const { code, output, errors } = await runInGroup('sh', ['-c', line], env).ended;
  expect({ code, errors }).toEqual({ code: 0, errors: '' });
  expect(JSON.parse(output)).toMatchObject(told);
});

test('The command register refuses --json where it prints nothing', async () => {
  const env = { PUBLIC_URL: 'http://x', BROKER_PASSWORD: 'a-password' };
  expect(await runProgram(['register', 'cf', '--run', '--json'], env).ended).toEqual({
    code: 1,
    output: '',
    errors: 'purveyor: --json is for commands that are printed: leave it out with --run.\n',
  });
});

interface Described {
  readonly words: string;
  readonly help: string;
  readonly options: readonly string[];
  /** Of itself, its arguments and options, by name. */
  readonly meanings: readonly (readonly [name: string, meaning: string])[];
}

/** All that do something: words before others may do nothing by themselves. */
function commandsOf(parent: Command, before: string): readonly Described[] {
  return parent.commands.flatMap((command) => {
    const words = `${before}${command.name()}`;
    const described = {
      words,
      help: command.helpInformation(),
      options: command.options.map(({ long, flags }) => long ?? flags),
      meanings: [
        [words, command.description()] as const,
        ...command.registeredArguments.map((one) => [one.name(), one.description] as const),
        ...command.options.map((one) => [one.flags, one.description] as const),
      ],
    };
    const inner = commandsOf(command, `${words} `);
    const isGroup = inner.length > 0 && command.options.length === 0;
    return isGroup ? inner : [described, ...inner];
  });
}
