import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { JsonObject } from '../../../broker/json.ts';
import type { InstanceContext } from '../../../node/instance-context.ts';
import type { LocalNode } from '../../../node/local-node.ts';

/** Labels of all that is made at the engine. The directory of a node is one node's at a time: it says whose they are. */
export const labels = {
  node: 'purveyor.node',
  key: 'purveyor.key',
  instance: 'purveyor.instance',
  unit: 'purveyor.unit',
  /** Of all that the container was made from. */
  mark: 'purveyor.mark',
} as const;

/** Known before anything is made, so that who comes after a death finds what there is. */
export function containerName({ node, directory }: Place, unit: string): string {
  return `${prefixOf(node)}-${basename(directory.base)}-${unit}`;
}

export function networkName({ node, directory }: Place): string {
  return `${prefixOf(node)}-${basename(directory.base)}`;
}

/** That of one life of an instance. */
export function keyIn({ directory }: Pick<InstanceContext, 'directory'>): string {
  return basename(directory.base);
}

export function labelsOf({ node, directory, work }: InstanceContext): Readonly<Record<string, string>> {
  return {
    [labels.node]: node.directory,
    [labels.key]: basename(directory.base),
    [labels.instance]: work.instance.id,
  };
}

/** A filter of lists: what was made by this node, of one instance or of all. */
export function ownFilter(
  node: LocalNode,
  key?: string,
  more: JsonObject = {},
): Readonly<Record<string, string>> {
  const own = `${labels.node}=${node.directory}`;
  const label = key === undefined ? [own] : [own, `${labels.key}=${key}`];
  return { filters: JSON.stringify({ label, ...more }) };
}

type Place = Pick<InstanceContext, 'node' | 'directory'>;

/** Two nodes may use one engine, and have instances of one id. */
function prefixOf({ directory }: LocalNode): string {
  return `purveyor-${createHash('sha256').update(directory).digest('hex').slice(0, 8)}`;
}
