import { createHash } from 'node:crypto';

/**
 * A short name made from an id: a letter and hexadecimal digits, fit for directories, databases and users. The
 * same id always has the same key; two ids have, as good as certainly, different ones.
 * @param ids of an instance; of an instance and one of its bindings
 */
export function keyOf(...ids: readonly string[]): string {
  return `p${createHash('sha256').update(ids.join('\0')).digest('hex').slice(0, 20)}`;
}
