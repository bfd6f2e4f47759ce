/**
 * A directory for each instance, under roots that the operator chooses. All bindings give the same path: what one
 * application writes another one reads.
 */
import { chmodSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../broker/errors.ts';
import { isShortage } from '../../system/error-code.ts';
import type { JsonObject } from '../../broker/json.ts';
import { instanceKey } from '../../broker/key.ts';
import type { Made, Provisioner, Step, Resource, Work } from '../../broker/provisioner.ts';
import type { UnitFacts } from '../../broker/units.ts';
import { makeFolder } from '../../node/owned-directory.ts';
import { nodeValues } from '../../node/hooks/context.ts';
import { isFolder, makeKeyed, removeKeyed } from '../../node/instance-named-directory.ts';
import type { LocalNode } from '../../node/local-node.ts';
import { removeTree } from '../../system/remove-tree.ts';
import { adoptFolder } from './adopt.ts';
import { backup, restore } from './backup.ts';
import { broken } from './broken.ts';
import { configOf } from './config.ts';
import { tellUse } from './quota.ts';
import { chooseRoot, findRoot, listThings } from './roots.ts';
import { traits } from './traits.ts';
import { concernsOf, unusable } from './usable-root.ts';

/** @param settings the node that this broker is */
export function directories({ node }: { readonly node: LocalNode }): Provisioner {
  return {
    name: 'directory',
    traits,
    provision: (work) => provision(node, work),
    adopt: (work) => adopt(node, work),
    update: (work) => update(node, work),
    deprovision: (work) => deprovision(node, work),
    async bind(work) {
      // The facts of the instance may be of where the node's directory was before.
      const base = requireBase(node, work);
      return { done: { facts: { ...factsOf(node, base), mount: mountOf(join(base, 'data'), work) } } };
    },
    unbind: async () => ({ done: undefined }),
    units: { inspect: (work) => inspect(node, work) },
    backups: {
      can: () => true,
      backup: (work) => backup(node, work, requireBase(node, work)),
      restore: (work) => restore(node, work, requireBase(node, work)),
    },
    inventory: async () => listThings(node).map(({ path: _path, ...thing }) => thing),
    purge: (thing) => purge(node, thing),
    concerns: concernsOf,
  };
}

/**
 * The base says whose it is and belongs to the broker; `data` in it is what the applications see. So nobody can put a
 * link in its place.
 */
async function provision(node: LocalNode, work: Work): Promise<Step<Made>> {
  work.signal.throwIfAborted();
  const config = configOf(work);
  let root: string | undefined;
  try {
    root = chooseRoot(node, config, work);
    const base = await makeKeyed(root, work.instance, (path) => makeFolder(path, 0o711, undefined));
    const data = join(base, 'data');
    makeFolder(data, config.mode, node.account);
    return { done: { facts: factsOf(node, base) }, did: { step: 'prepare' } };
  } catch (error) {
    if (error instanceof Failure || isShortage(error)) throw error;
    // Without any, the directory is the node's own.
    throw broken(root !== undefined && config.roots.includes(root) ? unusable(root, error) : String(error));
  }
}

async function adopt(node: LocalNode, work: Work): Promise<Step<Made>> {
  work.signal.throwIfAborted();
  const base = await adoptFolder(node, configOf(work), work);
  return { done: { facts: factsOf(node, base) }, did: { step: 'adopt' } };
}

/** It stays where it is, whatever the roots are now. */
async function update(node: LocalNode, work: Work): Promise<Step<Made>> {
  const base = requireBase(node, work);
  setMode(join(base, 'data'), configOf(work).mode);
  return { done: { facts: factsOf(node, base) }, did: { step: 'configure' } };
}

/** Gives it the mode, when it has another one. */
function setMode(data: string, mode: number): void {
  if ((lstatSync(data).mode & 0o7777) !== mode) chmodSync(data, mode);
}

async function deprovision(node: LocalNode, work: Work): Promise<Step<void>> {
  for (;;) {
    const root = findRoot(node, configOf(work), work);
    if (root === undefined) break;
    await removeKeyed(root, instanceKey(work.instance));
  }
  const left = listThings(node).filter(({ key }) => key === instanceKey(work.instance));
  for (const { path } of left) await removeTree(path);
  return { done: undefined, did: { step: 'remove' } };
}

async function inspect(node: LocalNode, work: Work): Promise<readonly UnitFacts[]> {
  const unit = work.plan.offeringName;
  try {
    const said = await tellUse(node, join(requireBase(node, work), 'data'), configOf(work), work.signal);
    return [{ unit, alive: true, answer: 'ready', ...said }];
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return [{ unit, alive: false, answer: 'unasked', fault: faults[error.word] ?? error.word }];
  }
}

const faults: Readonly<Record<string, string>> = {
  gone: 'its directory is gone',
  storage: 'the root of its directory is not there',
};

/** Where it is. @throws Failure when it is nowhere */
function requireBase(node: LocalNode, work: Work): string {
  const root = findRoot(node, configOf(work), work);
  const base = root === undefined ? undefined : join(root, instanceKey(work.instance));
  if (base !== undefined && isFolder(join(base, 'data'))) return base;
  throw new Failure('gone', 'The directory of this instance is gone.', {
    detail: `The directory ${base ?? instanceKey(work.instance)} is not there.`,
  });
}

async function purge(node: LocalNode, { name }: Resource): Promise<void> {
  const found = listThings(node).find((thing) => thing.name === name);
  if (found) await removeTree(found.path);
}

/** How a platform shall show it to the application of a binding, as the binding asks for it. */
function mountOf(data: string, { binding }: Work): JsonObject {
  const { mount, readonly } = binding?.confidential.parameters ?? {};
  const [mode, access] = readonly === true ? ['r', 'ro'] : ['rw', 'rw'];
  return { path: typeof mount === 'string' ? mount : data, mode, access };
}

function factsOf(node: LocalNode, base: string): JsonObject {
  return { node: nodeValues(node), dir: { base, data: join(base, 'data') } };
}
