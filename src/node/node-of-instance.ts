import { basename } from 'node:path';
import type { JsonObject } from '../broker/json.ts';
import type { Work } from '../broker/provisioner.ts';
import { sandboxOf } from '../system/sandbox/wrap.ts';
import { declaredPaths } from './declared-paths.ts';
import type { InstanceDirectory } from './instance-directory.ts';
import type { LocalNode } from './local-node.ts';

/** What is known of an instance when its node is asked for. */
export interface InstanceScope {
  readonly work: Work;
  readonly directory: InstanceDirectory;
  /** What steps have left to remember, the latest last; it counts before the record. */
  readonly kept: readonly JsonObject[];
}

/**
 * The node as one instance has it: whatever is made, started, read or written for the instance is done with this one.
 * @param node the broker's, or one that was made by this for the same instance
 */
export function nodeOfInstance(node: LocalNode, { work, directory }: InstanceScope): LocalNode {
  const { bubblewrap, keeper } = node;
  const amounts = work.plan.operating.limits ?? {};
  const limits = keeper && { keeper, group: basename(directory.base), amounts };
  if (!bubblewrap) return { ...node, limits };
  const { conf, data, log, run, hooks } = directory;
  const sandbox = sandboxOf(bubblewrap, {
    writes: [conf, data, log, run],
    reads: [hooks, ...declaredPaths(work.plan)],
    sharesProcesses: isStartedByHooks(work.plan),
  });
  return { ...node, sandbox, limits };
}

/** What hooks start only hooks can end: each of them must see what the others have started. */
function isStartedByHooks({ making, operating }: Work['plan']): boolean {
  return Object.hasOwn(operating.hooks, 'start') || making.config['processes'] === undefined;
}
