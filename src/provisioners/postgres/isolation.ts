import { keyForm, quoted } from './names.ts';
import { type Session } from './session.ts';
import { codeOf } from '../../system/error-code.ts';

/**
 * Everybody may connect to a database that nobody has closed. Closes those that the administrator may close, its own
 * and the broker's too, so that the users of our databases get into theirs alone. Roles that could log in until now
 * keep by name what they had as everybody: a server may have other users than ours.
 */
export async function closeOtherDatabases(session: Session): Promise<void> {
  if ((await openDatabases(session)).length === 0) return;
  await session.ask('select pg_advisory_lock(hashtextextended($1, 0))', [lockName]);
  const others = await otherLogins(session);
  for (const { name, rights } of await openDatabases(session)) {
    const database = quoted([name]);
    const kept = others.length > 0 ? [`grant ${rights} on database ${database} to ${quoted(others)}`] : [];
    await session.change(...kept, `revoke ${rights} on database ${database} from public`).catch(unlessGone);
  }
  await session.ask('select pg_advisory_unlock(hashtextextended($1, 0))', [lockName]);
}

const lockName = 'purveyor closes databases';

interface OpenDatabase {
  readonly name: string;
  /** `CONNECT, TEMPORARY`, or one of them. */
  readonly rights: string;
}

async function openDatabases(session: Session): Promise<readonly OpenDatabase[]> {
  const rows = await session.ask(openStatement);
  return rows.map(({ name, rights }) => ({ name: String(name), rights: String(rights) }));
}

// One with the limit 0 is being made, and closed by its maker.
const openStatement = `
  select d.datname as name, string_agg(a.privilege_type, ', ') as rights
  from pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
  where d.datallowconn and (d.datconnlimit = -1 or d.datconnlimit > 0) and pg_has_role(d.datdba, 'usage')
    and a.grantee = 0 and a.privilege_type in ('CONNECT', 'TEMPORARY')
  group by d.datname
  order by d.datname`;

async function otherLogins(session: Session): Promise<readonly string[]> {
  const rows = await session.ask(
    'select rolname from pg_roles where rolcanlogin and not rolsuper and rolname !~ $1 order by rolname',
    [keyForm],
  );
  return rows.map(({ rolname }) => String(rolname));
}

function unlessGone(error: unknown): void {
  if (codeOf(error) !== '3D000') throw error;
}
