import type { UnitFacts } from '../../broker/units.ts';
import type { LocalNode } from '../../node/local-node.ts';
import { runProgram } from '../../system/run-program.ts';
import type { DirectoryConfig } from './config.ts';

/** Milliseconds that a directory has to be measured. */
const patience = 3000;

/**
 * Holds what there is against the quota, and only tells: a directory that nobody may write in could not be tidied up
 * either.
 * @returns what there is to say
 */
export async function tellUse(
  node: LocalNode,
  data: string,
  { quotaMb }: DirectoryConfig,
  signal: AbortSignal,
): Promise<Pick<UnitFacts, 'reason'>> {
  if (quotaMb === undefined) return {};
  const kilobytes = await measure(node, data, signal);
  if (kilobytes === undefined) return { reason: `its size could not be found within ${patience / 1000} s` };
  const used = `${Math.ceil(kilobytes / 1024)} MB of ${quotaMb} MB are used`;
  return { reason: kilobytes > quotaMb * 1024 ? `it is over its quota: ${used}` : used };
}

/** Kilobytes on the disk; undefined when that took too long. Links lead nowhere, other file systems do not count. */
async function measure(
  { account: _account, ...node }: LocalNode,
  data: string,
  signal: AbortSignal,
): Promise<number | undefined> {
  const ran = await runProgram(node, {
    command: ['du', '-skx', '--', data],
    cwd: '/',
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' },
    timeoutMs: patience,
    signal,
  });
  if (ran.timedOut) return undefined;
  // What vanishes meanwhile makes it complain, and it counts all the same.
  const kilobytes = Number.parseInt(ran.stdout, 10);
  if (Number.isNaN(kilobytes)) throw new Error(`The size of ${data} is unknown: ${ran.stderr}`);
  return kilobytes;
}
