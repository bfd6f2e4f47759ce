import { readFileSync } from 'node:fs';
import { ourEnvironment } from '../../config/config.ts';

/**
 * A password that stands somewhere else than in the command, where others could read it.
 * @param where the path of a file, `env:NAME`, or `-` for standard input
 * @throws Error with a sentence
 */
export function passwordFrom(where: string | undefined): string {
  if (where === undefined)
    throw new Error('check needs --password-from: the path of a file, env:NAME, or - for standard input.');
  const [, variable] = /^env:(.*)$/.exec(where) ?? [];
  const text = variable === undefined ? fileContent(where) : ourEnvironment()[variable];
  const password = text?.replace(/\r?\n$/, '') ?? '';
  if (password === '') throw new Error(`--password-from finds nothing there (${variable ?? where}).`);
  return password;
}

function fileContent(where: string): string {
  try {
    return readFileSync(where === '-' ? 0 : where, 'utf8');
  } catch (error) {
    throw new Error(`--password-from cannot read ${where}.`, { cause: error });
  }
}
