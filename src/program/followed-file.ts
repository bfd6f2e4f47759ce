import { readFile } from 'node:fs/promises';
import { codeOf } from '../system/error-code.ts';
import type { Log } from '../telemetry/log.ts';
import { createLooks, type RepeatedLooks } from './looks.ts';

interface FileToFollow<Value> {
  /** The variable that names it, for messages. */
  readonly variable: string;
  readonly file: string;
  /** What it holds, for messages: `principals`. */
  readonly what: string;
  /** @throws Error with a sentence, when it cannot be used */
  readonly read: (bytes: Buffer) => Value;
  /** Each time that it has been read. */
  readonly afterRead?: () => Promise<void>;
  readonly countsOf: (value: Value) => Readonly<Record<string, number>>;
  readonly log: Pick<Log, 'note'>;
  /** Milliseconds between looks. */
  readonly lookMs?: number | undefined;
}

export interface FollowedFile<Value> extends RepeatedLooks {
  /** What it has held when it could last be used. */
  readonly present: () => Value;
}

/**
 * Reads a file, and again whenever it changes; one with mistakes is told, and what it held before stays in use.
 * @throws Error with a sentence, when it cannot be used at the start
 */
export async function followFile<Value>(parts: FileToFollow<Value>): Promise<FollowedFile<Value>> {
  const { what, read, afterRead, countsOf, log } = parts;
  let bytes = await bytesOf(parts);
  let present = read(bytes);
  let told: string | undefined;
  await afterRead?.();

  async function look(isAsked: boolean): Promise<void> {
    try {
      const now = await bytesOf(parts);
      const isSame = now.equals(bytes);
      if (isSame && !isAsked) return void (told = undefined);
      const value = read(now);
      await afterRead?.();
      if (!isSame) log.note('info', `${what} loaded`, countsOf(value));
      // What is worked out of it is kept with it, and forgotten with it.
      if (!isSame) present = value;
      bytes = now;
      told = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message === told && !isAsked) return;
      told = message;
      log.note('error', `${message} The ${what} from before stay in use.`);
    }
  }

  return { present: () => present, ...createLooks(look, parts.lookMs) };
}

async function bytesOf({
  file,
  variable,
}: {
  readonly file: string;
  readonly variable: string;
}): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const code = codeOf(error);
    const why = code === 'ENOENT' ? 'there is no such file' : `the system says ${code}`;
    throw new Error(`${variable} cannot be read: ${why}.`, { cause: error });
  }
}
