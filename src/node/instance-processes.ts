import { hasInEnvironment, listProcesses, readStat } from '../system/proc.ts';

/**
 * Does anything live that was started for this instance, by a hook of it too? Known by `PURVEYOR_INSTANCE` in its
 * environment, which children inherit; what has got itself another environment is not seen.
 */
export function isAnythingOfInstance(instanceId: string): boolean {
  const entry = `PURVEYOR_INSTANCE=${instanceId}`;
  return listProcesses().some(
    (pid) => hasInEnvironment(pid, entry) === true && readStat(pid)?.dead === false,
  );
}
