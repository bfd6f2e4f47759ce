import { readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isObject } from '../../broker/json.ts';
import { instanceKey, keyOf } from '../../broker/key.ts';
import type { Resource, Work } from '../../broker/provisioner.ts';
import type { ServiceInstance } from '../../broker/records.ts';
import { codeOf } from '../../system/error-code.ts';
import { makePassage, makePrivate } from '../../node/owned-directory.ts';
import { isFolder, type Keyed, listKeyed } from '../../node/instance-named-directory.ts';
import type { LocalNode } from '../../node/local-node.ts';
import { readJson, writePrivatelySync } from '../../system/private-file.ts';
import { broken } from './broken.ts';
import type { DirectoryConfig } from './config.ts';
import { absenceOf } from './usable-root.ts';

/**
 * The root under which an instance is, or shall be: where it is already, else where there are the fewest, so that roots
 * are used in turn. It is remembered, for the inventory.
 * @throws Failure when a root is not there: it may be the one
 */
export function chooseRoot(node: LocalNode, { roots }: DirectoryConfig, work: Work): string {
  const found = findRoot(node, { roots }, work);
  if (found !== undefined) return found;
  const [first = openOwnRoot(node), ...others] = roots;
  const counted = [first, ...others].map((root) => ({ root, count: listOurs(root).length }));
  const { root } = counted.reduce((least, one) => (one.count < least.count ? one : least));
  remember(node, root);
  return root;
}

/** Where an instance is; undefined when it is nowhere. @throws Failure when a root is not there */
export function findRoot(
  node: LocalNode,
  { roots }: Pick<DirectoryConfig, 'roots'>,
  { instance }: Work,
): string | undefined {
  const base = toldRoot(node, instance);
  const absence = [...roots, ...base].map(absenceOf).find((one) => one !== undefined);
  if (absence !== undefined) throw broken(absence);
  const known = new Set([...roots, ...base, ...knownRoots(node)]);
  return [...known].find((root) => isFolder(join(root, instanceKey(instance))));
}

/**
 * Where its facts say that it is. A root that the operator did not choose is the node's own, wherever the node's
 * directory was at that time: it may have been restored elsewhere since, with all that is in it.
 */
function toldRoot(node: LocalNode, { confidential: { facts } }: ServiceInstance): readonly string[] {
  const { dir } = facts;
  if (!isObject(dir) || typeof dir['base'] !== 'string') return [];
  const root = dirname(dir['base']);
  return chosenRoots(node).includes(root) ? [root] : [];
}

/** All directories of instances under any root that was ever used here. */
export function listThings(node: LocalNode): readonly (Resource & { readonly path: string })[] {
  const roots = knownRoots(node);
  const listed = roots.map((root) => (root === ownRoot(node) ? listOwn(root, roots) : listOurs(root)));
  return listed.flat().map(thingOf);
}

/** In the node's own root all is the node's, whatever its name; only what holds another root is no thing. */
function listOwn(own: string, roots: readonly string[]): readonly Keyed[] {
  const real = roots.map((root) => `${realpathSync(root)}/`);
  return listKeyed(own).filter(({ path }) => !real.some((root) => root.startsWith(`${path}/`)));
}

/** Others may have directories of their own under a root that the operator chose. */
function listOurs(root: string): readonly Keyed[] {
  return listKeyed(root).filter(({ key }) => key !== undefined);
}

function thingOf({ path, instanceId, key }: Keyed): Resource & { readonly path: string } {
  return { name: `directory ${path}`, path, instanceId, key };
}

const ownRoot = ({ directory }: LocalNode) => join(directory, 'directory');
const noteFolder = ({ directory }: LocalNode) => join(directory, 'directory-roots');

function openOwnRoot(node: LocalNode): string {
  makePassage(node, ownRoot(node));
  return ownRoot(node);
}

function remember(node: LocalNode, root: string): void {
  if (root === ownRoot(node)) return;
  makePrivate(noteFolder(node));
  writePrivatelySync(join(noteFolder(node), `${keyOf(root)}.json`), JSON.stringify({ root }));
}

/** A plan may have left the catalog, and with it all that said where its directories are. */
function knownRoots(node: LocalNode): readonly string[] {
  return [ownRoot(node), ...chosenRoots(node)].filter(isThere);
}

/** Those of operators that were ever used here, whether they are there or not. */
function chosenRoots(node: LocalNode): readonly string[] {
  const notes = namesIn(noteFolder(node)).map((name) => readJson(join(noteFolder(node), name))?.['root']);
  return notes.filter((root) => typeof root === 'string');
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The root itself may be a link. */
function isThere(root: string): boolean {
  return statSync(root, { throwIfNoEntry: false })?.isDirectory() === true;
}
