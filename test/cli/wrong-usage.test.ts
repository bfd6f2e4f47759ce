import { runProgram } from '../support/run-program.ts';

// Each starts the program.
const limit = '--timeout must be seconds, or a duration such as 500ms, 15s or 2m, of at most 4m.';
const nodeNames = '<name> must have letters, digits, dots, dashes and underscores only, at most 100 of them.';

/** No broker runs: what is not refused beforehand would be told otherwise. */
test.each([
  ['instances exec i1 --timeout abc ls', limit],
  ['instances exec i1 --timeout 5m ls', limit],
  ['instances exec i1 --timeout 0 ls', limit],
  ['instances exec i1 --timeout -1 ls', limit],
  ['instances log i1 --lines many', '--lines must be a whole number from 1 to 10000.'],
  ['instances log i1 --lines 0', '--lines must be a whole number from 1 to 10000.'],
  ['instances --node a/b', nodeNames.replace('<name>', '--node')],
  ['instances --offering ', '--offering must be a text of 1 to 1000 characters.'],
  ['nodes drain a/b', nodeNames],
  ['completion tcsh', '<shell> must be one of: bash, zsh, fish.'],
  ['catalog lint http://there', '<paths> must be the path of a file or directory.'],
  ['instances log i1 --unit', '--unit needs a value: <name>. See instances log --help.'],
  ['instances show', 'instances show needs <id>: the id of the instance. See instances show --help.'],
  [
    'instances exec i1',
    'instances exec needs <command>: the command with its arguments. See instances exec --help.',
  ],
  ['orphans remove', 'orphans remove needs <names>: the names of orphans. See orphans remove --help.'],
  ['instances show i1 i2', 'instances show takes one argument and was given 2. See instances show --help.'],
  ['config all', 'config takes no argument and was given 1. See config --help.'],
  [
    'instances exec i1 --tiemout 3 ls',
    "There is no option '--tiemout'. Did you mean --timeout? See instances exec --help.",
  ],
  ['nodes --bogus', "There is no option '--bogus'. See nodes --help."],
  ['--bogus', "There is no option '--bogus'. See serve --help."],
])('"%s" is refused with a sentence and exit code 1', async (words, sentence) => {
  const errors = `purveyor: ${sentence}\n`;
  expect(await runProgram(words.split(' ')).ended).toEqual({ code: 1, output: '', errors });
});
