import type { CliCommand } from './command.ts';

export const rekey: CliCommand = {
  usage: 'rekey',
  description: 'Encrypt again, with the first key, what lies in the database under others.',
  options: { '--saved': 'the key is kept in a safe place, although no broker has been started with it' },
  async run(_args, { saved }) {
    const { encryptAgain } = await import('./encrypt-again.ts');
    return encryptAgain(Boolean(saved));
  },
};
