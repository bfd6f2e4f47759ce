import { escapeIdentifier } from 'pg';
import { instanceKey, keyOf } from '../../broker/key.ts';
import type { ServiceInstance } from '../../broker/records.ts';

/**
 * What an instance has on a server. Its database and the role that owns what is in it are named by its key, the
 * role of each binding by a key of its own; the comment on each says the key of the instance. Every role of a server
 * reads all names and comments, so none of them says an id.
 */
export interface Names {
  /** Of the database and of the owner role. */
  readonly key: string;
}

/** As a regular expression of Postgres; keys need no quotes in SQL. */
export const keyForm = '^p[0-9a-f]{20}$';

const prefix = 'purveyor key ';
/** Before 0.2.0 comments said the id, which tenants could read. */
const formerPrefix = 'purveyor instance ';

export function namesOf(instance: Pick<ServiceInstance, 'id' | 'key'>): Names {
  return { key: instanceKey(instance) };
}

/** The database that a backup is put into before it takes the place of the one of the instance. */
export function draftOf({ key }: Names): string {
  return `${key}_restored`;
}

/** The one whose place it has taken, until it is removed. */
export function formerOf({ key }: Names): string {
  return `${key}_replaced`;
}

/** The comment on what an instance has. */
export function markOf({ key }: Names): string {
  return prefix + key;
}

/** The key of the instance, as a comment says it; undefined when it is not ours. */
export function findKey(comment: unknown): string | undefined {
  if (typeof comment !== 'string') return undefined;
  if (comment.startsWith(prefix)) return comment.slice(prefix.length);
  if (!saysId(comment)) return undefined;
  const [id = '', key] = comment.slice(formerPrefix.length).split(' ');
  if (key !== undefined) return key;
  try {
    return keyOf(decodeURIComponent(id));
  } catch {
    return undefined;
  }
}

/** Is it one of before, that says the id of an instance? */
export function saysId(comment: string): boolean {
  return comment.startsWith(formerPrefix);
}

/** Names that are not ours may be anything. */
export function quoted(names: readonly string[]): string {
  return names.map((name) => escapeIdentifier(name)).join(', ');
}
