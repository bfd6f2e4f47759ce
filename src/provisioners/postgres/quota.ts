import { Failure } from '../../broker/errors.ts';
import { type Hold, ifFree } from './hold.ts';
import { cutSessionsIn } from './roles.ts';
import type { Session } from './session.ts';

/** What there is of an instance's database. */
export interface Measured {
  /** Bytes. */
  readonly size: number;
  readonly isOver: boolean;
}

/**
 * Holds a database against its quota. Over it, nobody of the instance gets in: a read-only session could be made
 * writable again by its user. When it is below, because it has shrunk or the quota was raised, they get in again.
 * Undefined when the database or its owner role is gone.
 * @param quota bytes; absent: there is no limit
 */
export async function keepQuota(
  session: Session,
  key: string,
  quota: number | undefined,
): Promise<Measured | undefined> {
  const found = await measure(session, key);
  if (!found) return undefined;
  const { size, isOpen } = found;
  const isOver = quota !== undefined && size > quota;
  if (isOver) {
    if (isOpen)
      await ifFree(session, key, () => session.change(`revoke connect on database ${key} from ${key}`));
    await cutSessionsIn(session, key);
  } else if (!isOpen) {
    await ifFree(session, key, () => session.change(`grant connect on database ${key} to ${key}`));
  }
  return { size, isOver };
}

/**
 * For a new binding: its login would not get in.
 * @throws Failure when the database is over its quota
 */
export async function requireWithinQuota({ session, key }: Hold, quota: number | undefined): Promise<void> {
  const measured = await keepQuota(session, key, quota);
  if (quota === undefined || !measured?.isOver) return;
  throw new Failure('quota', `${sizes(measured.size, quota)} Nobody can connect until it has a larger plan.`);
}

/**
 * For a changed plan: the database would be closed by it, or stay closed. Changes nothing.
 * @throws Failure when the database has more than the quota
 */
export async function requireRoom({ session, key }: Hold, quota: number | undefined): Promise<void> {
  const size = (await measure(session, key))?.size ?? 0;
  if (quota === undefined || size <= quota) return;
  throw new Failure('quota', `${sizes(size, quota)} Choose a larger plan, or try again when it has less.`, {
    instanceUsable: true,
    updateRepeatable: true,
  });
}

function sizes(size: number, quota: number): string {
  return `The database has ${megabytes(size)} MB, and its plan allows ${megabytes(quota)} MB.`;
}

/** Rounded up, so that more than a quota never looks like the quota. */
export function megabytes(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
}

interface Found {
  /** Bytes. */
  readonly size: number;
  /** May the roles of the instance connect? */
  readonly isOpen: boolean;
}

async function measure(session: Session, key: string): Promise<Found | undefined> {
  const [row] = await session.ask(
    `select pg_database_size(d.oid)::float8 as size, has_database_privilege(o.oid, d.oid, 'connect') as open
     from pg_database d join pg_roles o on o.rolname = d.datname where d.datname = $1`,
    [key],
  );
  return row && { size: Number(row['size']), isOpen: row['open'] === true };
}
