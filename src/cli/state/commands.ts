import { defineCommand, type CliCommand } from '../command.ts';
import { argument, asJson, flag, someText } from '../parameters.ts';

/** Beside the database, without the operator API: it is the very thing that may be gone. */
export const stateCommands: readonly CliCommand[] = [
  defineCommand({
    words: 'state save',
    description: 'Write all that the brokers on a database know to a file; they may run meanwhile.',
    arguments: [argument('file', someText(), 'a file that is not there yet')],
    options: asJson,
    async run([file], { json }) {
      const { save } = await import('./save-and-load.ts');
      return save(file, json);
    },
  }),
  defineCommand({
    words: 'state load',
    description: 'Bring what was saved into an empty database; the encryption keys must be there.',
    arguments: [argument('file', someText(), "what 'state save' has written")],
    options: {
      replace: flag('--replace', 'drop what other brokers have left in the database'),
      ...asJson,
    },
    async run([file], { replace, json }) {
      const { load } = await import('./save-and-load.ts');
      return load(file, { replace: Boolean(replace), json });
    },
  }),
];
