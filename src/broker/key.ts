import { createHash } from 'node:crypto';
import type { Resource } from './provisioner.ts';
import type { ServiceBinding, ServiceInstance } from './records.ts';

/** Of whom it is that has no name of its own: the platform of the first login. */
export const defaultPlatform = 'default';

const ofPlatform = /^([a-z0-9][a-z0-9-]{0,39})::(.*)$/s;

/** Can a platform be called so? */
export function isPlatformName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{0,39}$/.test(name);
}

/**
 * The id by which the broker knows what a platform calls by this one. Two platforms may say the same id and mean two
 * instances: so that of a platform with a name begins with it. No two pairs give the same (docs/decisions/0100).
 * @param platform absent: the default one, whose ids stay as they are
 */
export function idOfPlatform(platform: string | undefined, id: string): string {
  if (platform !== undefined) return `${platform}::${id}`;
  return ofPlatform.test(id) ? `${defaultPlatform}::${id}` : id;
}

/** The platform of an instance, and its id there. */
export function platformOf(id: string): { readonly platform: string; readonly platformId: string } {
  const [, platform, platformId] = ofPlatform.exec(id) ?? [];
  return { platform: platform ?? defaultPlatform, platformId: platformId ?? id };
}

/** An id of the same platform as that of an instance. */
export function idBeside(instanceId: string, id: string): string {
  const { platform } = platformOf(instanceId);
  return idOfPlatform(platform === defaultPlatform ? undefined : platform, id);
}

/**
 * A short name made from an id: a letter and hexadecimal digits, fit for directories, databases and users. The
 * same id always has the same key; two ids have, as good as certainly, different ones.
 * @param ids of an instance; of an instance and one of its bindings
 */
export function keyOf(...ids: readonly string[]): string {
  return `p${createHash('sha256').update(ids.join('\0')).digest('hex').slice(0, 20)}`;
}

/** The key of the instance that a thing is for, or was, where it is named by one. */
export function keyInName(name: string): string | undefined {
  return /(?:^|[ /])(p[0-9a-f]{20})$/.exec(name)?.[1];
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
