import type { DrainNode, ForgetNode } from '../commands.ts';
import type { BrokerContext } from '../context.ts';
import { Refusal } from '../errors.ts';
import { tellEnd } from '../events.ts';
import type { Node } from '../nodes.ts';

/** Refuses with not-found. */
export function drain(
  { nodes, observe }: BrokerContext,
  { node, draining, origin }: DrainNode,
): Promise<void> {
  const summary = () => ({ kind: draining ? 'drain' : 'undrain', node }) as const;
  return tellEnd(observe, { origin, summary }, async () => {
    if (!(await nodes.drain(node, draining))) throw noNode(node);
  });
}

/** Refuses with not-found, and with conflict as long as the node lives or has instances. */
export function forget(
  { nodes, observe }: BrokerContext,
  { node, abandon = false, origin }: ForgetNode,
): Promise<void> {
  const summary = () => ({ kind: abandon ? 'abandon' : 'forget', node }) as const;
  return tellEnd(observe, { origin, summary }, async () => {
    if (!(await nodes.forget(node, abandon))) throw notForgettable(node, await nodes.list());
  });
}

function noNode(name: string): Refusal {
  return new Refusal('not-found', `There is no node '${name}'.`, 'node');
}

function notForgettable(name: string, nodes: readonly Node[]): Refusal {
  const node = nodes.find((one) => one.name === name);
  if (!node) return noNode(name);
  const why = node.instances > 0 && node.stale ? `has ${countOf(node.instances)}` : 'is alive';
  return new Refusal('conflict', `The node '${name}' ${why}.`, 'node');
}

function countOf(instances: number): string {
  return instances === 1 ? 'a service instance' : `${instances} service instances`;
}
