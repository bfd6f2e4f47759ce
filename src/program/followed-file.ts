import { readFile, stat } from 'node:fs/promises';
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
  /** Files that it names, and that were read with it: when one of them changes all is read again. */
  readonly filesIn?: (value: Value) => readonly string[];
  /** Each time that it has been read. */
  readonly afterRead?: () => Promise<void>;
  /** Is told of what it holds now, when it has changed. */
  readonly onChange?: (value: Value) => void;
  readonly countsOf: (value: Value) => Readonly<Record<string, number>>;
  readonly log: Pick<Log, 'note'>;
  /** Milliseconds between looks. */
  readonly lookMs?: number | undefined;
}

export interface FollowedFile<Value> extends RepeatedLooks {
  /** What it has held when it could last be used. */
  readonly present: () => Value;
}

/** What was read, and the files that it was read of, byte by byte. */
interface Reading<Value> {
  readonly value: Value;
  readonly bytes: readonly Buffer[];
}

/**
 * Reads a file, and again whenever it changes; one with mistakes is told, and what it held before stays in use.
 * @throws Error with a sentence, when it cannot be used at the start
 */
export async function followFile<Value>(parts: FileToFollow<Value>): Promise<FollowedFile<Value>> {
  const { what, filesIn = () => [], afterRead, onChange, countsOf, log } = parts;
  let last = await readAll(parts, []);
  let told: string | undefined;
  await afterRead?.();

  async function look(isAsked: boolean): Promise<void> {
    try {
      const named = filesIn(last.value);
      const isSame = areSame(await bytesOf(parts, named), last.bytes);
      if (isSame && !isAsked) return void (told = undefined);
      const now = await readAll(parts, named);
      await afterRead?.();
      told = undefined;
      // What is worked out of it is kept with it, and forgotten with it.
      if (isSame) return;
      last = now;
      log.note('info', `${what} loaded`, countsOf(now.value));
      onChange?.(now.value);
    } catch (error) {
      const { message } = error as Error;
      if (message === told && !isAsked) return;
      told = message;
      log.note('error', `${message} The ${what} from before stay in use.`);
    }
  }

  return { present: () => last.value, ...createLooks(look, parts.lookMs) };
}

/** What is named is known only when it is read: then all of it is read anew, so that no change between is overlooked. */
async function readAll<Value>(parts: FileToFollow<Value>, named: readonly string[]): Promise<Reading<Value>> {
  const bytes = await bytesOf(parts, named);
  const value = parts.read(bytes[0] ?? Buffer.alloc(0));
  const names = parts.filesIn?.(value) ?? [];
  return JSON.stringify(names) === JSON.stringify(named) ? { value, bytes } : readAll(parts, names);
}

/** Of the file itself first. What it names is judged by who reads it, so one that is not there is empty here. */
async function bytesOf(
  { file, variable }: { readonly file: string; readonly variable: string },
  named: readonly string[],
): Promise<readonly Buffer[]> {
  const own = readFile(file).catch((error: unknown) => {
    const code = codeOf(error);
    const why = code === 'ENOENT' ? 'there is no such file' : `the system says ${code}`;
    throw new Error(`${variable} cannot be read: ${why}.`, { cause: error });
  });
  return Promise.all([own, ...named.map((one) => readFile(one).catch(() => Buffer.alloc(0)))]);
}

function areSame(some: readonly Buffer[], others: readonly Buffer[]): boolean {
  return some.length === others.length && some.every((one, index) => one.equals(others[index] ?? one));
}

/** A file with secrets in it. */
export async function warnOfReaders(variable: string, file: string, log: Pick<Log, 'note'>): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o004) !== 0)
    log.note('warn', `${variable} may be read by everybody on this machine: chmod o-r it.`);
}
