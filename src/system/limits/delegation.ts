// How a subtree of control groups of version 2 comes to have controllers.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDirectory } from '../make-directory.ts';
import { readStat } from '../proc.ts';

/** Is nobody in the group but this process and what it has started? */
export function isAlone(group: string): boolean {
  const pids = wordsIn(group, 'cgroup.procs').map(Number);
  return pids.length > 0 && pids.every((pid) => isOurs(pid));
}

/**
 * Hands controllers down to the groups below `base`, which is made, from two above it. That one may have no processes
 * then: when this process is alone in it, it moves down into a leaf, `purveyor-broker`.
 * @returns those that arrive there
 */
export function handControllersDown(base: string, wanted: readonly string[]): readonly string[] {
  const shared = dirname(base);
  const above = dirname(shared);
  try {
    makeDirectory(base);
    handDown(above, wanted);
    if (!isHandedDown(above, wanted) && isAlone(above)) {
      moveDown(above);
      handDown(above, wanted);
    }
    handDown(shared, wanted);
    handDown(base, wanted);
    return listIn(base, 'cgroup.subtree_control', wanted);
  } catch {
    return [];
  }
}

function isOurs(pid: number): boolean {
  for (let one: number | undefined = pid; one !== undefined && one > 0; one = readStat(one)?.parent) {
    if (one === process.pid) return true;
  }
  return false;
}

function handDown(group: string, wanted: readonly string[]): void {
  for (const controller of listIn(group, 'cgroup.controllers', wanted)) {
    if (listIn(group, 'cgroup.subtree_control', wanted).includes(controller)) continue;
    try {
      writeFileSync(join(group, 'cgroup.subtree_control'), `+${controller}`, { flag: 'r+' });
    } catch {
      // What cannot be handed down is kept otherwise, or told to be missing.
    }
  }
}

function isHandedDown(group: string, wanted: readonly string[]): boolean {
  const there = listIn(group, 'cgroup.controllers', wanted);
  return listIn(group, 'cgroup.subtree_control', wanted).length === there.length;
}

function moveDown(group: string): void {
  const leaf = join(group, 'purveyor-broker');
  makeDirectory(leaf);
  for (const pid of wordsIn(group, 'cgroup.procs')) {
    writeFileSync(join(leaf, 'cgroup.procs'), pid, { flag: 'r+' });
  }
}

function listIn(group: string, file: string, wanted: readonly string[]): readonly string[] {
  const words = wordsIn(group, file);
  return wanted.filter((controller) => words.includes(controller));
}

/** None where there is no such file. */
function wordsIn(group: string, file: string): readonly string[] {
  try {
    return readFileSync(join(group, file), 'utf8').split(/\s+/).filter(Boolean);
  } catch {
    return [];
  }
}
