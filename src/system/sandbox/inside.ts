import type { Sandbox } from '../account.ts';
import { childrenOf, readCommandLine } from '../proc.ts';

/**
 * The program that runs behind a process which was started for it: the process itself where nothing stands around the
 * program.
 */
export function programBehind(pid: number, sandbox: Sandbox | undefined): number {
  if (!sandbox?.isWall(readCommandLine(pid))) return pid;
  const [child] = childrenOf(pid);
  return child === undefined ? pid : programBehind(child, sandbox);
}
