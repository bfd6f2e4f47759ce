import { defineCommand } from './command.ts';
import { asJson, flag } from './parameters.ts';

const description = 'Encrypt again, with the first key, what lies in the database under others.';

const options = {
  saved: flag('--saved', 'the key is kept in a safe place, although no broker has been started with it'),
  ...asJson,
};

async function run(_given: unknown, { saved, json }: { saved?: true; json?: true }): Promise<number> {
  const { encryptAgain } = await import('./encrypt-again.ts');
  return encryptAgain(Boolean(saved), json);
}

/** The same by two names: that of keys in other programs, and the short one. */
export const keyCommands = ['keys rotate', 'rekey'].map((words) =>
  defineCommand({ words, description, options, run }),
);
