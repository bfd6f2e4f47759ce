import { escapeIdentifier } from 'pg';
import { instanceKey, keyOf } from '../../broker/key.ts';
import type { ServiceInstance } from '../../broker/records.ts';

/**
 * What an instance has on a server. Its database and the role that owns what is in it are named by its key, the
 * role of each binding by the key of both; the comment on each says which instance it is for.
 */
export interface Names {
  /** Of the database and of the owner role. */
  readonly key: string;
  readonly mark: string;
}

/** As a regular expression of Postgres; keys need no quotes in SQL. */
export const keyForm = '^p[0-9a-f]{20}$';

const prefix = 'purveyor instance ';

export function namesOf({ id, key }: Pick<ServiceInstance, 'id' | 'key'>): Names {
  // The server may have an encoding in which not every id can be written.
  const mark = prefix + encodeURIComponent(id.toWellFormed());
  return { key: instanceKey({ id, key }), mark: key === undefined ? mark : `${mark} ${key}` };
}

/** Which life of which instance. */
export interface Marked {
  readonly id: string;
  readonly key: string;
}

/** What a comment says; undefined when it is not ours. Of an instance of broker 0.1.0 it says no key. */
export function findMarked(comment: unknown): Marked | undefined {
  if (typeof comment !== 'string' || !comment.startsWith(prefix)) return undefined;
  const [text = '', key] = comment.slice(prefix.length).split(' ');
  try {
    const id = decodeURIComponent(text);
    return { id, key: key ?? keyOf(id) };
  } catch {
    return undefined;
  }
}

/** Names that are not ours may be anything. */
export function quoted(names: readonly string[]): string {
  return names.map((name) => escapeIdentifier(name)).join(', ');
}
