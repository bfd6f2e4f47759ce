import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isFolder } from '../instance-named-directory.ts';
import type { Groups } from '../../system/limits/groups.ts';

/**
 * Removes the groups of a node for which there is no instance any more: a broker has died between the two. One in which
 * something runs is told, and left to people: the directory may only be away for a moment, as a disk that is not mounted.
 * @param directory the node's own, which nobody else uses
 */
export async function removeLeftGroups(
  directory: string,
  groups: Groups,
  note: (message: string) => void,
): Promise<void> {
  const kinds = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const group of groups.list()) {
    if (kinds.some(({ name }) => isFolder(join(directory, name, group)))) continue;
    const pids = groups.pids(group);
    if (pids.length === 0) await groups.remove(group).catch(() => undefined);
    else note(`Processes run that belong to no instance of this node (group ${group}): ${pids.join(', ')}.`);
  }
}
