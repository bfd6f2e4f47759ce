import { fileBehind, writeThrough } from '../../system/output.ts';
import { codeOf } from '../../system/error-code.ts';

/** Writes a line, or lines, to the output of a command. @throws Error with a sentence when it cannot be written */
export function print(text: string): void {
  printText(`${text}\n`);
}

/** Writes a value as JSON for programs, in lines that people can read too. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, undefined, 2));
}

/** Writes what a command has to tell: the value for programs, or the text for people. */
export function printFor(json: true | undefined, value: unknown, text: string): void {
  if (json) printJson(value);
  else print(text);
}

/**
 * Writes a text as it is. Whoever reads it may have gone: that is no reason for a command not to end as it would.
 * @throws Error with a sentence when it cannot be written
 */
export function printText(text: string): void {
  const fd = fileBehind(process.stdout);
  if (fd === undefined) {
    process.stdout.write(text);
    return;
  }
  const { error } = writeThrough(fd, text);
  if (error !== undefined)
    throw new Error(`The output cannot be written: ${whyNot(error)}.`, { cause: error });
}

function whyNot(error: unknown): string {
  const code = codeOf(error);
  return (
    { ENOSPC: 'its file system is full', EDQUOT: 'the quota of this user is used up there' }[code] ??
    `the system says ${code}`
  );
}
