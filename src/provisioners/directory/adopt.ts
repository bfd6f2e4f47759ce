import { lstatSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Failure } from '../../broker/errors.ts';
import { instanceKey } from '../../broker/key.ts';
import type { Work } from '../../broker/provisioner.ts';
import { claimKeyed, makeKeyed } from '../../node/instance-named-directory.ts';
import type { LocalNode } from '../../node/local-node.ts';
import { makeFolder } from '../../node/owned-directory.ts';
import type { DirectoryConfig } from './config.ts';
import { chooseRoot, findRoot } from './roots.ts';

/**
 * Makes the directory that the work adopts that of its instance, and gives its base. An orphan stays where it is; any
 * other one, right below a root of the plan, becomes the `data` of a new base beside it.
 * @throws Failure 'gone', 'elsewhere' and 'taken'
 */
export async function adoptFolder(node: LocalNode, config: DirectoryConfig, work: Work): Promise<string> {
  const [, path = ''] = /^directory (\/.+)$/s.exec(work.adopts ?? '') ?? [];
  const { instance } = work;
  const key = instanceKey(instance);
  if (path.endsWith(`/${key}`)) {
    const root = findRoot(node, config, work);
    if (root !== dirname(path) || !isThere(join(path, 'data'))) throw gone(path);
    claimKeyed(path, instance);
    return path;
  }
  const root = dirname(path);
  if (!config.roots.includes(root))
    throw new Failure('elsewhere', `'${path}' is not right below a root of the plan, so it is left alone.`);
  const base = await makeKeyed(chooseRoot(node, { ...config, roots: [root] }, work), instance, (draft) =>
    makeFolder(draft, 0o711, undefined),
  );
  const data = join(base, 'data');
  // Whoever has moved it may have died then.
  const isMoved = isThere(data);
  if (isMoved && isThere(path))
    throw new Failure(
      'taken',
      `What was '${path}' before is still there as '${base}'. Adopt or remove that first.`,
    );
  if (!isMoved && !isThere(path)) throw gone(path);
  if (!isMoved) renameSync(path, data);
  makeFolder(data, config.mode, node.account);
  return base;
}

/** No link: nobody knows where that leads tomorrow. */
function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function gone(path: string): Failure {
  return new Failure('gone', `There is no directory '${path}' that could be adopted.`);
}
