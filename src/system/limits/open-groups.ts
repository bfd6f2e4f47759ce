import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ENVIRONMENT } from '../account.ts';
import { makeDirectory } from '../make-directory.ts';
import { readStat } from '../proc.ts';
import { type Controller, controllers } from './amounts.ts';
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
    const kept = prepareV2(base);
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

function isAlone(group: string): boolean {
  const pids = read(join(group, 'cgroup.procs')).split('\n').filter(Boolean).map(Number);
  return pids.length > 0 && pids.every((pid) => isOurs(pid));
}

function isOurs(pid: number): boolean {
  for (let one: number | undefined = pid; one !== undefined && one > 0; one = readStat(one)?.parent) {
    if (one === process.pid) return true;
  }
  return false;
}

/** Hands the controllers down as far as the groups of the instances. @returns those that arrive there */
function prepareV2(base: string): readonly Controller[] {
  const shared = dirname(base);
  const above = dirname(shared);
  try {
    makeDirectory(base);
    handDown(above);
    if (!isHandedDown(above) && isAlone(above)) {
      moveDown(above);
      handDown(above);
    }
    handDown(shared);
    handDown(base);
    return listIn(base, 'cgroup.subtree_control');
  } catch {
    return [];
  }
}

function handDown(group: string): void {
  for (const controller of listIn(group, 'cgroup.controllers')) {
    if (listIn(group, 'cgroup.subtree_control').includes(controller)) continue;
    try {
      writeFileSync(join(group, 'cgroup.subtree_control'), `+${controller}`, { flag: 'r+' });
    } catch {
      // What cannot be handed down is kept otherwise, or told to be missing.
    }
  }
}

function isHandedDown(group: string): boolean {
  const wanted = listIn(group, 'cgroup.controllers');
  return listIn(group, 'cgroup.subtree_control').length === wanted.length;
}

function moveDown(group: string): void {
  const leaf = join(group, 'purveyor-broker');
  makeDirectory(leaf);
  for (const pid of read(join(group, 'cgroup.procs')).split('\n').filter(Boolean)) {
    writeFileSync(join(leaf, 'cgroup.procs'), pid, { flag: 'r+' });
  }
}

function listIn(group: string, file: string): readonly Controller[] {
  const words = read(join(group, file)).trim().split(/\s+/);
  return controllers.filter((controller) => words.includes(controller));
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
    groups.enter(name, amounts, child.pid ?? 0);
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
  return read(join(path, 'cgroup.procs'), 'none') !== 'none';
}

function read(file: string, otherwise = ''): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}
