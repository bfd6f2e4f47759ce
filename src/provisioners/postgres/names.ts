import { escapeIdentifier } from 'pg';
import { keyOf } from '../../broker/key.ts';

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

export function namesOf(instanceId: string): Names {
  // The server may have an encoding in which not every id can be written.
  return { key: keyOf(instanceId), mark: prefix + encodeURIComponent(instanceId.toWellFormed()) };
}

/** The instance that a comment names, if it is one of ours and what it says can be true. */
export function findInstanceId(comment: unknown): string | undefined {
  if (typeof comment !== 'string' || !comment.startsWith(prefix)) return undefined;
  try {
    return decodeURIComponent(comment.slice(prefix.length));
  } catch {
    return undefined;
  }
}

/** Names that are not ours may be anything. */
export function quoted(names: readonly string[]): string {
  return names.map((name) => escapeIdentifier(name)).join(', ');
}
