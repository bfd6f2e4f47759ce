import { closeSync, fstatSync, readSync, rmSync } from 'node:fs';
import { type Command, type GatedForLong, startForLong } from './start-gated.ts';
import { isAlive, type ProcessIdentity } from './process-identity.ts';
import type { Exit } from './starter/beginning.ts';
import type { Host } from './account.ts';
import { openLog } from './own-file.ts';
import { notePrivately } from './private-file.ts';
import { until } from './until.ts';
import { isShortage } from './error-code.ts';

export interface Launch extends Command {
  /**
   * Where its identity is recorded (`readIdentity`): in a directory that the account cannot write, so that nobody
   * but the broker says which processes are ours. A file that is there is replaced.
   */
  readonly identityFile: string;
  /** Standard output and error are appended to it. */
  readonly logFile: string;
}

/**
 * Starts a program that shall outlive the broker: in a session of its own, as the node's account, with umask 077.
 * Its identity is in `identityFile` before it does anything: a broker that is killed at any moment leaves either
 * a recorded process or none. Resolves when the program itself runs, not when it is ready. Its environment should hold
 * `PURVEYOR_INSTANCE`, by which `endProcess` knows what it leaves behind.
 * @throws Error when the program is not there or cannot run, with what was said; then nothing is recorded
 */
export async function launch(host: Host, it: Launch): Promise<ProcessIdentity> {
  const log = openLog(host, it.logFile);
  try {
    const start = fstatSync(log).size;
    const gated = await startForLong(host, it, log);
    try {
      notePrivately(it.identityFile, JSON.stringify(gated.identity));
      gated.open();
      await untilItRuns(gated, it.command[0] ?? '', () => readFrom(log, start));
    } catch (error) {
      gated.close();
      rmSync(it.identityFile, { force: true });
      throw error;
    }
    gated.close();
    gated.release();
    return gated.identity;
  } finally {
    closeSync(log);
  }
}

/** The gate has become the program, or what was to become it has ended. */
async function untilItRuns(
  { identity, ended, isProgram }: GatedForLong,
  program: string,
  said: () => string,
): Promise<void> {
  const became = () => {
    if (isSeen(isProgram)) return 'program';
    const end = ended();
    return end !== undefined && (isTold(end) || !isAlive(identity)) && 'nothing';
  };
  if ((await until(became, { first: 1, longest: 200, factor: 1.6, limit: 2000 })) === 'program') return;
  const end = ended();
  if (end && !isTold(end) && !isAlive(identity))
    throw Object.assign(new Error(`${program} ended with what began it.`), { code: 'EAGAIN' });
  const { code } = end ?? {};
  const isRefused = code === 126 || code === 127 || (code === 1 && said().startsWith('bwrap: '));
  if (isRefused) throw new Error(`${program} cannot run: ${said() || `exit code ${code}`}`);
}

function isTold({ code, signal }: Exit): boolean {
  return code !== null || signal !== null;
}

/**
 * It has been let go and its identity is written down: that there is no room to look at it now takes neither away, and
 * it is looked at again.
 */
function isSeen(isProgram: () => boolean): boolean {
  try {
    return isProgram();
  } catch (error) {
    if (isShortage(error)) return false;
    throw error;
  }
}

function readFrom(log: number, start: number): string {
  const tail = Buffer.alloc(2000);
  return tail.toString('utf8', 0, readSync(log, tail, 0, tail.length, start)).trim();
}
