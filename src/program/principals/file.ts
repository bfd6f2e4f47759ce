import { readFile, stat } from 'node:fs/promises';
import { problemLines } from '../../catalog/problem.ts';
import type { HashedLogin } from '../../protocols/protocol.ts';
import { codeOf } from '../../system/error-code.ts';
import type { Log } from '../../telemetry/log.ts';
import { createLooks, type RepeatedLooks } from '../looks.ts';
import { type Principals, readPrincipals, type TakenNames } from './read.ts';

/** Those who may log in beside the logins of the environment, as PRINCIPALS_FILE names them now. */
export interface Accounts {
  platforms(): readonly HashedLogin[];
  operators(): readonly HashedLogin[];
  /** Platforms with names: all but the default one. */
  named(): readonly HashedLogin[];
  /** Operators and the default platform. */
  overseers(): readonly HashedLogin[];
  /** Is there a file? */
  readonly areNamed: boolean;
}

export interface PrincipalsFile extends Accounts, RepeatedLooks {}

interface FileParts {
  readonly file: string | undefined;
  readonly taken: TakenNames;
  readonly log: Pick<Log, 'note'>;
  /** Milliseconds between looks at the file. */
  readonly lookMs?: number;
}

/**
 * Reads the file, and again whenever it changes; one with mistakes is told, and the one before stays in use.
 * @param file undefined: there is none, and nobody is named
 * @throws Error with a sentence, when it cannot be used at the start
 */
export async function openPrincipals({ file, taken, log, lookMs }: FileParts): Promise<PrincipalsFile> {
  if (file === undefined) return { ...accountsOf(() => noPrincipals), areNamed: false, ...noLooks };
  let text = await textOf(file);
  let present = presentOf(file, text, taken);
  let told: string | undefined;
  await warnOfReaders(file, log);

  async function look(isAsked: boolean): Promise<void> {
    try {
      const now = await textOf(file as string);
      if (now === text && !isAsked) return void (told = undefined);
      const read = presentOf(file as string, now, taken);
      await warnOfReaders(file as string, log);
      if (now !== text) log.note('info', 'principals loaded', countsOf(read));
      // What is worked out of a list is kept with it, and forgotten with it.
      if (now !== text) present = read;
      text = now;
      told = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (message === told && !isAsked) return;
      told = message;
      log.note('error', `${message} The principals from before stay in use.`);
    }
  }

  return { ...accountsOf(() => present), areNamed: true, ...createLooks(look, lookMs) };
}

interface Present extends Principals {
  readonly named: readonly HashedLogin[];
  readonly overseers: readonly HashedLogin[];
}

const noPrincipals: Present = { platforms: [], operators: [], named: [], overseers: [] };
const noLooks: RepeatedLooks = { reload: () => Promise.resolve(), close: () => undefined };

function accountsOf(present: () => Present): Omit<Accounts, 'areNamed'> {
  return {
    platforms: () => present().platforms,
    operators: () => present().operators,
    named: () => present().named,
    overseers: () => present().overseers,
  };
}

function countsOf({ platforms, operators }: Principals) {
  return { platforms: platforms.length, operators: operators.length };
}

function presentOf(file: string, text: string, taken: TakenNames): Present {
  const { principals, problems } = readPrincipals(file, Buffer.from(text, 'latin1'), taken);
  if (!principals) throw new Error(['PRINCIPALS_FILE cannot be used.', ...problemLines(problems)].join(' '));
  const { platforms, operators } = principals;
  const [named, unnamed] = [true, false].map((has) =>
    platforms.filter(({ platform }) => (platform !== undefined) === has),
  );
  return { ...principals, named: named ?? [], overseers: [...operators, ...(unnamed ?? [])] };
}

/** Each byte as a character. */
async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1');
  } catch (error) {
    const code = codeOf(error);
    const why = code === 'ENOENT' ? 'there is no such file' : `the system says ${code}`;
    throw new Error(`PRINCIPALS_FILE cannot be read: ${why}.`, { cause: error });
  }
}

/** Who reads hashes can try passwords, and who writes them is whoever he likes. */
async function warnOfReaders(file: string, log: Pick<Log, 'note'>): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & 0o022) !== 0)
    log.note(
      'warn',
      'PRINCIPALS_FILE may be written by others than its owner: who does is let in. chmod go-w it.',
    );
  else if ((mode & 0o004) !== 0)
    log.note('warn', 'PRINCIPALS_FILE may be read by everybody on this machine: chmod o-r it.');
}
