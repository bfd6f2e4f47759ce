import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../error-code.ts';
import { makeDirectory } from '../make-directory.ts';
import { until } from '../until.ts';
import type { Amounts } from './amounts.ts';
import type { Counter, GroupSetting, Tree } from './trees.ts';

/** Control groups of the kernel, one for each name, all below a directory of this node. */
export interface Groups {
  readonly trees: readonly Tree[];
  /**
   * Makes the group where there is none, and sets its limits.
   * @throws the file system's error; EBUSY: it uses more memory than it shall have
   */
  readonly apply: (name: string, amounts: Amounts) => void;
  /** By which a process puts itself into the group, see `Tree`; none where there is no group. */
  readonly doors: (name: string) => readonly string[];
  /**
   * Puts a process into the group, which is made with these limits where there is none, unless it is there. The kernel
   * may take its time: what else is to be done goes on meanwhile.
   * @throws the file system's error
   */
  readonly enter: (name: string, amounts: Amounts, pid: number) => Promise<void>;
  /** Since the group was made; what nobody counts is 0. */
  readonly count: (name: string) => Readonly<Record<Counter, number>>;
  /** Kills all that is in the group, however fast it multiplies. @throws Error when something is left after 5 s */
  readonly end: (name: string, amounts: Amounts) => Promise<void>;
  /** Ends what is in the group and removes it; nothing happens when there is none. @throws as `end` */
  readonly remove: (name: string) => Promise<void>;
  readonly list: () => readonly string[];
  /** What is in the group. */
  readonly pids: (name: string) => readonly number[];
  /** Takes the directory of this node away where no group is left in it; nothing may enter afterwards. */
  readonly close: () => void;
}

export function createGroups(trees: readonly Tree[]): Groups {
  const folders = (name: string) => trees.map(({ base }) => join(base, name));
  const empty = async (name: string): Promise<void> => {
    if ((await until(() => isEmptied(folders(name)), patience)) === true) return;
    throw new Error(`Processes of the group ${name} are still there after SIGKILL.`);
  };
  const apply = (name: string, amounts: Amounts): void => {
    for (const { base, settings } of trees) {
      makeDirectory(join(base, name));
      for (const setting of settings(amounts)) write(join(base, name), setting);
    }
  };
  return {
    trees,
    apply,
    doors(name) {
      const doors = trees.map(({ base, door }) => join(base, name, door));
      return doors.every((door) => existsSync(door)) ? doors : [];
    },
    async enter(name, amounts, pid) {
      const there = folders(name).map(findPids);
      if (there.includes(undefined)) apply(name, amounts);
      for (const [index, folder] of folders(name).entries())
        if (!there[index]?.includes(pid))
          await writeFile(join(folder, processes), String(pid), { flag: 'r+' });
    },
    count: (name) => ({
      memoryKills: counted(trees, name, 'memoryKills'),
      pidsRefused: counted(trees, name, 'pidsRefused'),
    }),
    async end(name, amounts) {
      if (folders(name).every((folder) => pidsIn(folder).length === 0)) return;
      await empty(name);
      apply(name, amounts);
    },
    async remove(name) {
      await empty(name);
      for (const folder of folders(name)) await removeGroup(folder);
      for (const { base, isPrepared } of trees) if (!isPrepared) removeEmpty(base);
    },
    list: () => [...new Set(trees.flatMap(({ base }) => namesIn(base)))],
    pids: (name) => [...new Set(folders(name).flatMap(pidsIn))],
    close: () => trees.forEach(({ base }) => removeEmpty(base)),
  };
}

const processes = 'cgroup.procs';
const patience = { first: 1, longest: 50, limit: 5000 };

function isEmptied(folders: readonly string[]): boolean {
  const pids = folders.flatMap((folder) => pidsIn(folder));
  if (pids.length === 0) return true;
  for (const folder of folders) {
    // Nothing comes after what is killed now; version 2 kills all at once by itself.
    tryWrite(folder, 'pids.max', '0');
    tryWrite(folder, 'cgroup.kill', '1');
  }
  for (const pid of pids) kill(pid);
  return false;
}

function pidsIn(folder: string): readonly number[] {
  return findPids(folder) ?? [];
}

/** Undefined when there is no such group. */
function findPids(folder: string): readonly number[] | undefined {
  const lines = readText(join(folder, processes))?.split('\n');
  return lines?.filter((line) => /^[1-9]\d*$/.test(line)).map(Number);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/** The kernel needs a moment after the last process. */
async function removeGroup(folder: string): Promise<void> {
  const isGone = () => {
    try {
      rmdirSync(folder);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EBUSY') return false;
      if (codeOf(error) === 'ENOENT') return true;
      throw error;
    }
  };
  if ((await until(isGone, patience)) !== true) throw new Error(`The group ${folder} cannot be removed.`);
}

/** Of a node without instances nothing is left. */
function removeEmpty(base: string): void {
  try {
    rmdirSync(base);
  } catch {
    // It is in use.
  }
}

/** Without making a file: a file that is not there the kernel does not have. */
function write(folder: string, { file, text, optional = false }: GroupSetting): void {
  try {
    writeFileSync(join(folder, file), text, { flag: 'r+' });
  } catch (error) {
    if (!optional || codeOf(error) !== 'ENOENT') throw error;
  }
}

function tryWrite(folder: string, file: string, text: string): void {
  try {
    write(folder, { file, text, optional: true });
  } catch {
    // What is in the group is killed one by one as well.
  }
}

function counted(trees: readonly Tree[], name: string, counter: Counter): number {
  for (const { base, counters } of trees) {
    const { file, word } = counters[counter] ?? {};
    if (file === undefined) continue;
    const line = readText(join(base, name, file))
      ?.split('\n')
      .find((one) => one.startsWith(`${word} `));
    return Number(line?.split(' ')[1] ?? 0);
  }
  return 0;
}

function namesIn(base: string): readonly string[] {
  try {
    const entries = readdirSync(base, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Undefined when there is none. */
function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}
