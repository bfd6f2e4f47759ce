import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { notePrivately, readJson } from '../private-file.ts';
import { readHierarchies } from './hierarchies.ts';
import { type Controller, controllers } from './amounts.ts';
import type { LimitKeeper, LimitWay } from './keeper.ts';
import type { Groups } from './groups.ts';
import { openGroups } from './open-groups.ts';

/**
 * Finds out how limits can be kept here: by control groups where they may be made, else by limits of single processes.
 * @param name of the node, for who looks at the groups of a machine
 * @param directory the node's own
 * @param file where it is remembered in which groups the node's instances are: the broker may be in others the next time
 * @param ownAccounts each instance has an account of its own, so that its processes can be counted by it
 */
export async function openLimits(
  name: string,
  directory: string,
  file: string,
  ownAccounts: boolean,
): Promise<LimitKeeper> {
  const before = Object.values(readJson(file) ?? {}).filter((base) => typeof base === 'string');
  const [mounts, membership] = [readProcSelf('mountinfo'), readProcSelf('cgroup')];
  const groups = await openGroups(readHierarchies(mounts, membership), nameOf(name, directory), before);
  if (groups) notePrivately(file, JSON.stringify(basesOf(groups)));
  const kept = (controller: Controller): LimitWay => {
    if (groups?.trees.some((tree) => tree.controllers.includes(controller))) return groups.version;
    if (controller === 'memory') return 'rlimits';
    return controller === 'pids' && ownAccounts ? 'rlimits' : 'missing';
  };
  const ways = Object.fromEntries(controllers.map((one) => [one, kept(one)])) as LimitKeeper['ways'];
  return { ways, groups };
}

/** Which limits are kept by what, in one line; files and the size of a file are limits of each process everywhere. */
export function describeLimits({ ways }: Pick<LimitKeeper, 'ways'>): string {
  const rows = [...Object.entries(ways), ['files', 'rlimits'], ['disk', 'rlimits and measuring']] as const;
  const words = [...new Set(rows.map(([, way]) => way))].toSorted(
    (a, b) => Number(a === 'missing') - Number(b === 'missing'),
  );
  return words
    .map((way) => {
      const names = rows.filter((row) => row[1] === way).map(([limit]) => limit);
      return way === 'missing' ? `${names.join(', ')}: missing` : `${names.join(', ')} by ${way}`;
    })
    .join('; ');
}

function nameOf(name: string, directory: string): string {
  return `${name}-${createHash('sha256').update(directory).digest('hex').slice(0, 8)}`;
}

function basesOf({ trees }: Groups): Record<string, string> {
  return Object.fromEntries(trees.map(({ base, controllers: kept }) => [kept.join(' '), base]));
}

function readProcSelf(file: string): string {
  try {
    return readFileSync(`/proc/self/${file}`, 'utf8');
  } catch {
    return '';
  }
}
