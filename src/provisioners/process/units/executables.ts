import { Failure } from '../../../broker/errors.ts';
import type { InstanceContext } from '../../../node/instance-context.ts';
import { findExecutables } from '../../../system/executables.ts';

/** @throws Failure when an executable is not on this node */
export async function requireExecutables({ work, node }: InstanceContext): Promise<void> {
  const { executables: needs } = work.plan.operating;
  const found = findExecutables(node.path, needs);
  const missing = needs.find((name) => !found.includes(name));
  if (missing === undefined) return;
  throw new Failure('no-executable', `The program ${missing}, which the service needs, is not there.`, {
    detail: `There is no executable ${missing} on the path ${node.path} of node ${node.name}.`,
  });
}
