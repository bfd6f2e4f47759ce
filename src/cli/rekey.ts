import { defineCommand } from './command.ts';
import { flag } from './parameters.ts';

export const rekey = defineCommand({
  words: 'rekey',
  description: 'Encrypt again, with the first key, what lies in the database under others.',
  options: {
    saved: flag('--saved', 'the key is kept in a safe place, although no broker has been started with it'),
  },
  async run(_given, { saved }) {
    const { encryptAgain } = await import('./encrypt-again.ts');
    return encryptAgain(Boolean(saved));
  },
});
