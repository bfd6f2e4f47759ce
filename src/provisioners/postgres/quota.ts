import { Failure } from '../../broker/errors.ts';
import { type Hold, ifFree } from './hold.ts';
import { cutSessionsIn } from './roles.ts';
import type { Session } from './session.ts';

/** What there is of an instance's database. */
export interface Measured {
  /** Bytes, with the temporary files of its sessions. */
  readonly size: number;
  readonly isOver: boolean;
  /** Only a superuser sees temporary files of others, and limits them. */
  readonly isBlind: boolean;
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
  const { size, isOpen, isBlind } = found;
  const limit = quota === undefined ? undefined : `temp_file_limit=${temporaryMegabytes(quota)}MB`;
  if (!isBlind && limit !== found.temporaryLimit)
    await ifFree(session, key, () => session.change(limitTemporary(key, limit)));
  const isOver = quota !== undefined && size > quota;
  if (isOver) {
    if (isOpen)
      await ifFree(session, key, () => session.change(`revoke connect on database ${key} from ${key}`));
    await cutSessionsIn(session, key);
  } else if (!isOpen) {
    await ifFree(session, key, () => session.change(`grant connect on database ${key} to ${key}`));
  }
  return { size, isOver, isBlind };
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

/**
 * What one session may have in temporary files: a large sort fits, and all sessions of a small plan together come to a
 * few times the quota at most, until the next look cuts them.
 */
function temporaryMegabytes(quota: number): number {
  return Math.max(16, Math.ceil(megabytes(quota) / 4));
}

/** For all sessions in the database. Who is no superuser can neither change it for his session nor take it away. */
function limitTemporary(key: string, limit: string | undefined): string {
  const [name, value] = limit?.split('=') ?? [];
  return `alter database ${key} ${name ? `set ${name} = '${value}'` : 'reset temp_file_limit'}`;
}

interface Found {
  /** Bytes, with temporary files. */
  readonly size: number;
  /** May the roles of the instance connect? */
  readonly isOpen: boolean;
  readonly isBlind: boolean;
  /** As the server keeps it: `temp_file_limit=25MB`. */
  readonly temporaryLimit?: string;
}

async function measure(session: Session, key: string): Promise<Found | undefined> {
  const [row] = await session.ask(
    `select pg_database_size(d.oid)::float8 as size, has_database_privilege(o.oid, d.oid, 'connect') as open,
       (select rolsuper from pg_roles where rolname = current_user) as super,
       (select c from pg_db_role_setting s, unnest(s.setconfig) c
        where s.setdatabase = d.oid and s.setrole = 0 and c like 'temp_file_limit=%') as limit
     from pg_database d join pg_roles o on o.rolname = d.datname where d.datname = $1`,
    [key],
  );
  if (!row) return undefined;
  const isBlind = row['super'] !== true;
  return {
    size: Number(row['size']) + (isBlind ? 0 : await temporaryFiles(session, key)),
    isOpen: row['open'] === true,
    isBlind,
    temporaryLimit: typeof row['limit'] === 'string' ? row['limit'] : undefined,
  };
}

/** Bytes. Files are named by the process that writes them; those that several share are not counted. */
async function temporaryFiles(session: Session, key: string): Promise<number> {
  const [row] = await session.ask(
    `select coalesce(sum(f.size), 0)::float8 as size
     from pg_ls_tmpdir() f join pg_stat_activity a on f.name like 'pgsql\\_tmp' || a.pid || '.%'
     where a.datname = $1`,
    [key],
  );
  return Number(row?.['size'] ?? 0);
}
