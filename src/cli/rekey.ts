import { defineCommand } from './command.ts';
import { asJson, flag } from './parameters.ts';

export const rekey = defineCommand({
  words: 'rekey',
  description: 'Encrypt again, with the first key, what lies in the database under others.',
  options: {
    saved: flag('--saved', 'the key is kept in a safe place, although no broker has been started with it'),
    ...asJson,
  },
  async run(_given, { saved, json }) {
    const { encryptAgain } = await import('./encrypt-again.ts');
    return encryptAgain(Boolean(saved), json);
  },
});
