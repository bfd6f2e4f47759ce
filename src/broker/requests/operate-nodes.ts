import { type AuditEntry, auditEntry } from '../audit.ts';
import type { DrainNode, ForgetNode } from '../commands.ts';
import type { BrokerContext } from '../context.ts';
import { Refusal } from '../errors.ts';
import { tellEnd } from '../events.ts';
import type { Node } from '../nodes.ts';
import type { Origin } from '../records.ts';

/** Refuses with not-found. */
export function drain(core: BrokerContext, { node, draining, origin }: DrainNode): Promise<void> {
  const verb = draining ? 'drain' : 'undrain';
  return tellEnd(core.observe, { origin, summary: () => ({ kind: verb, node }) }, async () => {
    const audit = auditNode(core, origin, verb, node);
    if (!(await core.nodes.drain(node, draining, audit))) throw noNode(node);
  });
}

/** Refuses with not-found, and with conflict as long as the node lives or has instances. */
export function forget(core: BrokerContext, { node, abandon = false, origin }: ForgetNode): Promise<void> {
  const { nodes, observe } = core;
  const verb = abandon ? 'abandon' : 'forget';
  return tellEnd(observe, { origin, summary: () => ({ kind: verb, node }) }, async () => {
    const audit = auditNode(core, origin, verb, node);
    if (!(await nodes.forget(node, abandon, audit))) throw notForgettable(node, await nodes.list());
  });
}

function auditNode(
  core: BrokerContext,
  origin: Origin,
  verb: 'drain' | 'undrain' | 'forget' | 'abandon',
  node: string,
): AuditEntry {
  return auditEntry(core, origin, { verb, object: { kind: 'node', id: node }, outcome: 'succeeded' });
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
