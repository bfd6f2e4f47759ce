import { randomUUID } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, isShortage } from '../system/error-code.ts';
import { isObject } from '../broker/json.ts';
import { instanceKey, keyOf } from '../broker/key.ts';
import type { ServiceInstance } from '../broker/records.ts';
import { writePrivately, writePrivatelySync } from '../system/private-file.ts';
import { removeTree } from '../system/remove-tree.ts';

/** Whose a directory is: one life of an id. */
export type Owner = Pick<ServiceInstance, 'id' | 'key'>;

/** What the marker in a directory says. */
export interface Marker {
  readonly id: string;
  readonly key?: string;
  /** The user of the instance, when it has one of its own. */
  readonly uid?: number;
}

/**
 * Directories in one parent that are named after the keys of instances, with a file that says whose they are. While
 * one is made or removed it has another name, so that each is whole or not there, whoever is killed when.
 */
export interface Keyed {
  readonly entry: string;
  readonly path: string;
  readonly instanceId?: string;
  readonly key?: string;
  readonly uid?: number;
}

/**
 * What was made, or was there already. It is no link: that is checked.
 * @param uid the user of the instance, when it has one of its own: a directory that was there keeps what it has
 */
export async function makeKeyed(
  parent: string,
  owner: Owner,
  makeFolder: (path: string) => void,
  uid?: number,
): Promise<string> {
  const key = instanceKey(owner);
  const path = join(parent, key);
  if (isFolder(path)) return path;
  const draft = join(parent, `.new-${key}-${randomUUID()}`);
  makeFolder(draft);
  try {
    await writePrivately(join(draft, marker), JSON.stringify({ id: owner.id, key, uid }));
    renameSync(draft, path);
  } catch (error) {
    await removeTree(draft);
    if (!['ENOTEMPTY', 'EEXIST'].includes(codeOf(error))) throw error;
  }
  return path;
}

/** From now on it is that of this owner, whose key it has. */
export function claimKeyed(path: string, { id, key }: Owner): void {
  writePrivatelySync(join(path, marker), JSON.stringify({ id, key, uid: readOwner(path)?.uid }));
}

/** Removes it, and what a making or removing that was broken off has left of it. Nothing happens when it is not there. */
export async function removeKeyed(parent: string, key: string): Promise<void> {
  if (lstatSync(join(parent, key), { throwIfNoEntry: false })) {
    renameSync(join(parent, key), join(parent, `.old-${key}-${randomUUID()}`));
  }
  const left = entriesOf(parent).filter((entry) => leftover.exec(entry)?.[1] === key);
  for (const entry of left) await removeTree(join(parent, entry));
}

/** All directories of the parent, finished or not; nothing when it is not there. */
export function listKeyed(parent: string): readonly Keyed[] {
  return entriesOf(parent)
    .map((entry) => ({ entry, path: join(parent, entry) }))
    .filter(({ path }) => lstatSync(path, { throwIfNoEntry: false })?.isDirectory())
    .map(({ entry, path }) => ({ entry, path, ...ownerOf(entry, path) }));
}

/** Is it there? @throws Error when something else than a directory has its name */
export function isFolder(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found && !found.isDirectory()) throw new Error(`${path} is in the way: it is no directory.`);
  return found !== undefined;
}

/** Whose a directory is, as its marker says; undefined when it has none. */
export function readOwner(path: string): Marker | undefined {
  try {
    const mark: unknown = JSON.parse(readFileSync(join(path, marker), 'utf8'));
    if (!isObject(mark) || typeof mark['id'] !== 'string') return undefined;
    const { id, key, uid } = mark;
    return {
      id,
      key: typeof key === 'string' ? key : undefined,
      uid: typeof uid === 'number' ? uid : undefined,
    };
  } catch (error) {
    // That says nothing of the marker, and nobody else's account must be taken for the owner.
    if (isShortage(error)) throw error;
    return undefined;
  }
}

const marker = 'instance.json';
const leftover = /^\.(?:new|old)-(p[0-9a-f]{20})-/;

function ownerOf(entry: string, path: string): Pick<Keyed, 'instanceId' | 'key' | 'uid'> {
  const key = leftover.exec(entry)?.[1] ?? /^p[0-9a-f]{20}$/.exec(entry)?.[0];
  if (key === undefined) return {};
  const mark = readOwner(path);
  // What the marker says must be able to be true: broker 0.1.0 wrote no key, and named by the id alone.
  const isTrue = mark && (mark.key ?? keyOf(mark.id)) === key;
  return isTrue ? { instanceId: mark.id, key, uid: mark.uid } : { key };
}

function entriesOf(parent: string): readonly string[] {
  try {
    return readdirSync(parent);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
