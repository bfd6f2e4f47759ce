import { createHash } from 'node:crypto';
import type { Resource } from './provisioner.ts';
import type { ServiceBinding, ServiceInstance } from './records.ts';

/**
 * A short name made from an id: a letter and hexadecimal digits, fit for directories, databases and users. The
 * same id always has the same key; two ids have, as good as certainly, different ones.
 * @param ids of an instance; of an instance and one of its bindings
 */
export function keyOf(...ids: readonly string[]): string {
  return `p${createHash('sha256').update(ids.join('\0')).digest('hex').slice(0, 20)}`;
}

/**
 * What is made for an instance is named by this. It is of one life of the id: an id that is used again has another
 * key, so nothing that a former life has left anywhere can be taken for its own. Broker 0.1.0 recorded none, and named
 * things by the id alone.
 */
export function instanceKey({ id, key }: Pick<ServiceInstance, 'id' | 'key'>): string {
  return key ?? keyOf(id);
}

/** The same for a binding. */
export function bindingKey({
  instanceId,
  id,
  key,
}: Pick<ServiceBinding, 'instanceId' | 'id' | 'key'>): string {
  return key ?? keyOf(instanceId, id);
}

/** By what an instance owns ports of its node; those that broker 0.1.0 gave out stand under the id. */
export function portOwner({ id, key }: Pick<ServiceInstance, 'id' | 'key'>): string {
  return key ?? id;
}

/** The same for what was found; undefined when nobody can tell. */
export function portOwnerOf({ instanceId, key }: Pick<Resource, 'instanceId' | 'key'>): string | undefined {
  return instanceId !== undefined && key === keyOf(instanceId) ? instanceId : key;
}
