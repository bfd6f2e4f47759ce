import { endProcess } from '../system/end-process.ts';
import { identityOf } from '../system/process-identity.ts';
import { hasInEnvironment, listProcesses } from '../system/proc.ts';

/**
 * Ends the processes that live in a directory, by `HOME` in their environment, wherever they have got to: a program may
 * have left its session and its parent. To be called when nothing may run there any more.
 */
export async function endStrays(home: string): Promise<void> {
  const strays = listProcesses().filter((pid) => hasInEnvironment(pid, `HOME=${home}`) === true);
  const identities = strays.map(identityOf).filter((identity) => identity !== undefined);
  await Promise.all(identities.map((identity) => endProcess(identity, { termMs: 2000, killMs: 2000 })));
}
