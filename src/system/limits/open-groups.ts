import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ENVIRONMENT } from '../account.ts';
import { controllers } from './amounts.ts';
import { handControllersDown, isAlone } from './delegation.ts';
import { createGroups, type Groups } from './groups.ts';
import type { Hierarchies, Hierarchy } from './hierarchies.ts';
import { treeOfV1, treeOfV2, type Tree } from './trees.ts';

export interface OpenGroups extends Groups {
  readonly version: 'cgroup v2' | 'cgroup v1';
}

/**
 * Finds out what this process may keep by control groups, by keeping it for a moment.
 * @param name of this node's directory among the groups, unique on the machine
 * @param before the directories that the node had: what runs is in there
 * @returns undefined when it may keep nothing by them
 */
export async function openGroups(
  { v2, v1 }: Hierarchies,
  name: string,
  before: readonly string[],
): Promise<OpenGroups | undefined> {
  for (const base of basesOfV2(v2, name, before)) {
    const given = handControllersDown(base, controllers);
    const kept = controllers.filter((one) => given.includes(one));
    const groups = kept.length > 0 && createGroups([treeOfV2(base, kept)]);
    if (groups && (await works(groups))) return { ...groups, version: 'cgroup v2' };
  }
  const trees: Tree[] = [];
  for (const controller of controllers) {
    const hierarchy = v1[controller];
    if (!hierarchy) continue;
    for (const base of new Set([...within(hierarchy, before), join(hierarchy.own, folder, name)])) {
      const tree = treeOfV1(base, controller);
      if (!(await works(createGroups([tree])))) continue;
      trees.push(tree);
      break;
    }
  }
  return trees.length > 0 ? { ...createGroups(trees), version: 'cgroup v1' } : undefined;
}

/** The directory of all that brokers keep in a group. */
const folder = 'purveyor';

function within({ top }: Hierarchy, before: readonly string[]): readonly string[] {
  return before.filter((base) => base.startsWith(`${top}/`) && isThere(base));
}

/**
 * A group that hands controllers down has no processes of its own, so that of the broker cannot be the one above
 * those of the instances: they lie beside it. Only when nobody else is in it the broker moves down into a leaf.
 */
function basesOfV2(v2: Hierarchy | undefined, name: string, before: readonly string[]): readonly string[] {
  if (!v2) return [];
  const { top, own } = v2;
  const beside = own === top ? [] : [join(dirname(own), folder, name)];
  const beneath = isAlone(own) ? [join(own, folder, name)] : [];
  return [...new Set([...within(v2, before), ...beside, ...beneath])];
}

/** Makes a group with limits, puts a process into it and takes both away. */
async function works(groups: Groups): Promise<boolean> {
  const name = `.probe-${process.pid}`;
  const amounts = { memory: 64 * 1024 * 1024, cpu: 0.5, pids: 16 };
  const child = spawn('/bin/sh', ['-c', 'read -r word'], {
    cwd: '/',
    env: ENVIRONMENT,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  try {
    await once(child, 'spawn');
    await groups.enter(name, amounts, child.pid ?? 0);
    groups.apply(name, {});
    return true;
  } catch {
    return false;
  } finally {
    await ended(child);
    await groups.remove(name).catch(() => undefined);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const end = once(child, 'exit');
  child.kill('SIGKILL');
  await end;
}

function isThere(path: string): boolean {
  return existsSync(join(path, 'cgroup.procs'));
}
