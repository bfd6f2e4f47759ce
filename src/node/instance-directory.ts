import { join } from 'node:path';
import { instanceKey } from '../broker/key.ts';
import type { Resource } from '../broker/provisioner.ts';
import { makeOwn, makePassage, makePrivate, makeWay } from './owned-directory.ts';
import { type Keyed, listKeyed, makeKeyed, type Owner, removeKeyed } from './instance-named-directory.ts';
import type { LocalNode } from './local-node.ts';
import { removeTree } from '../system/remove-tree.ts';

/**
 * Where all of one instance lies. The account works in `conf`, `data`, `log` and `run`; `state` (identities, marks of
 * what was done) and `hooks` are the broker's, so that no program can tell it lies about processes.
 */
export interface InstanceDirectory {
  readonly base: string;
  readonly conf: string;
  readonly data: string;
  readonly log: string;
  readonly run: string;
  readonly state: string;
  readonly hooks: string;
}

/** @param kind what makes such directories: the provisioner's name */
export function instanceDirectory(node: LocalNode, kind: string, owner: Owner): InstanceDirectory {
  return directoryOf(node, kind, instanceKey(owner));
}

/** Where what has this key lies. */
export function directoryOf(node: LocalNode, kind: string, key: string): InstanceDirectory {
  const base = join(node.directory, kind, key);
  return {
    base,
    conf: join(base, 'conf'),
    data: join(base, 'data'),
    log: join(base, 'log'),
    run: join(base, 'run'),
    state: join(base, 'state'),
    hooks: join(base, 'hooks'),
  };
}

/**
 * Makes the directory, or completes it; `hooks` is made by `keepHooks`.
 * @param node as the instance has it
 * @param uid its user, when it has one of its own
 * @throws the file system's error
 */
export async function makeInstanceDirectory(
  node: LocalNode,
  kind: string,
  owner: Owner,
  uid?: number,
): Promise<InstanceDirectory> {
  const directory = instanceDirectory(node, kind, owner);
  const parent = join(node.directory, kind);
  makeWay(node, parent);
  await makeKeyed(parent, owner, (path) => makePassage(node, path), uid);
  for (const own of [directory.conf, directory.data, directory.log, directory.run]) makeOwn(node, own);
  makePrivate(directory.state);
  return directory;
}

/** Removes all of it; what still runs there must have been ended before. Nothing happens when it is not there. */
export async function removeInstanceDirectory(node: LocalNode, kind: string, owner: Owner): Promise<void> {
  await removeKeyed(join(node.directory, kind), instanceKey(owner));
}

/** All directories of this kind, also those that were never finished or not quite removed. */
export function listInstanceDirectories(node: LocalNode, kind: string): readonly Resource[] {
  return listKeyed(join(node.directory, kind)).map(thingOf);
}

/** Removes one that was listed; nothing happens when there is none of this name any more. */
export async function purgeInstanceDirectory(node: LocalNode, kind: string, thing: Resource): Promise<void> {
  const found = listKeyed(join(node.directory, kind)).find((keyed) => thingOf(keyed).name === thing.name);
  if (found) await removeTree(found.path);
}

function thingOf({ entry, instanceId, key }: Keyed): Resource {
  return { name: `directory ${entry}`, instanceId, key };
}
