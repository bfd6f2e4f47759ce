import { basename } from 'node:path';
import type { Work } from '../broker/provisioner.ts';
import type { Account } from '../system/account.ts';
import { readOwner } from './instance-named-directory.ts';
import { sandboxOf } from '../system/sandbox/wrap.ts';
import { declaredPaths } from './declared-paths.ts';
import type { InstanceDirectory } from './instance-directory.ts';
import type { LocalNode } from './local-node.ts';

/** What is known of an instance when its node is asked for. */
export interface InstanceScope {
  readonly work: Work;
  readonly directory: InstanceDirectory;
  /** Shall what runs see the processes of the machine, though it would not by itself? */
  readonly seesProcesses?: boolean;
}

/**
 * The node as one instance has it: whatever is made, started, read or written for the instance is done with this one.
 * Which user runs it, its directory says, which was made with it; one without a user of its own has the node's.
 * @param node the broker's, or one that was made by this for the same instance
 */
export function nodeOfInstance(
  node: LocalNode,
  { work, directory, seesProcesses }: InstanceScope,
): LocalNode {
  const uid = readOwner(directory.base)?.uid;
  const own = uid === undefined ? node : { ...node, account: accountOf(uid) };
  const { bubblewrap, keeper } = own;
  const amounts = work.plan.operating.limits ?? {};
  const limits = keeper && { keeper, group: basename(directory.base), amounts };
  if (!bubblewrap) return { ...own, limits };
  const { conf, data, log, run, hooks } = directory;
  const sandbox = sandboxOf(bubblewrap, {
    writes: [conf, data, log, run],
    reads: [hooks, ...declaredPaths(work.plan)],
    sharesProcesses: seesProcesses ?? isStartedByHooks(work.plan),
  });
  return { ...own, sandbox, limits };
}

/** What hooks start only hooks can end: each of them must see what the others have started. */
function isStartedByHooks({ making, operating }: Work['plan']): boolean {
  return Object.hasOwn(operating.hooks, 'start') || making.config['processes'] === undefined;
}

/** A user that has a number and no name; its group has the same number. */
export function accountOf(uid: number): Account {
  return { name: `uid ${uid}`, uid, gid: uid };
}
