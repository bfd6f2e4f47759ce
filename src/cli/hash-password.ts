import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { defineCommand } from './command.ts';
import { printFor } from './output/print.ts';
import { asJson } from './parameters.ts';

export const hashPasswordCommand = defineCommand({
  words: 'hash-password',
  description: 'Print the hash of a password, read from standard input, as PRINCIPALS_FILE holds it.',
  options: asJson,
  async run(_given, { json }) {
    // Never an argument: that stands in the history of a shell and in the list of processes.
    const password = process.stdin.isTTY ? await typed() : readInput();
    if (password === '') throw new Error('There is no password in the standard input.');
    if (/\p{Cc}/u.test(password))
      throw new Error(
        'The password has a control character, or more than one line: no client could send it.',
      );
    const { hashPassword } = await import('../program/principals/password-hash.ts');
    const hash = await hashPassword(password);
    printFor(json, { hash }, hash);
    return 0;
  },
});

function readInput(): string {
  try {
    return readFileSync(0, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new Error('The standard input cannot be read.', { cause: error });
  }
}

/** What is typed is not shown. */
async function typed(): Promise<string> {
  process.stderr.write('Password: ');
  const output = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output, terminal: true });
  try {
    return await reader.question('');
  } finally {
    reader.close();
    process.stderr.write('\n');
  }
}
