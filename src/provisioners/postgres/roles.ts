import { setTimeout as sleep } from 'node:timers/promises';
import { escapeLiteral } from 'pg';
import type { Hold } from './hold.ts';
import { findKey, keyForm, markOf } from './names.ts';
import type { Row, Session } from './session.ts';
import { verifierOf } from './verifier.ts';

/** The role that owns what is in the database. Nobody logs in as it. */
export async function makeOwner(hold: Hold): Promise<void> {
  const { session, key } = hold;
  await session.change(
    ...((await findRole(session, key)) ? [] : [`create role ${key} nologin`]),
    `comment on role ${key} is ${escapeLiteral(markOf(hold))}`,
    ...(await joining(session, key)),
  );
}

/**
 * The role of one binding acts as the owner from the moment it logs in: what one makes, all others can use, and it
 * stays when its maker goes.
 */
export async function makeBindingRole(
  hold: Hold,
  role: string,
  { password, connectionLimit }: { readonly password: string; readonly connectionLimit: number },
): Promise<void> {
  const { session, key } = hold;
  await session.change(
    ...((await findRole(session, role)) ? [] : [`create role ${role}`]),
    `alter role ${role} login inherit connection limit ${connectionLimit} password ${escapeLiteral(await verifierOf(password))}`,
    `grant ${key} to ${role}`,
    `alter role ${role} in database ${key} set role = ${key}`,
    `comment on role ${role} is ${escapeLiteral(markOf(hold))}`,
    ...(await joining(session, role)),
  );
}

/** An administrator who is no superuser may only remove and end what is of roles that it is in. */
async function joining(session: Session, role: string): Promise<readonly string[]> {
  const [self] = await session.ask('select rolsuper from pg_roles where rolname = current_user');
  return self?.['rolsuper'] === true ? [] : [`grant ${role} to current_user`];
}

/** Roles of the instance that there are, the owner last: by name, by what they are in, or by their comments. */
export async function findRoles({ session, key }: Hold): Promise<readonly string[]> {
  const rows = await session.ask(
    `select rolname, shobj_description(r.oid, 'pg_authid') as comment, (rolname = $2 or exists (
       select from pg_auth_members m join pg_roles o on o.oid = m.roleid where m.member = r.oid and o.rolname = $2)) as own
     from pg_roles r where rolname ~ $1
     order by rolname = $2, rolname`,
    [keyForm, key],
  );
  const own = rows.filter((row) => row['own'] === true || findKey(row['comment']) === key);
  return own.map(({ rolname }) => String(rolname));
}

/** Nobody logs in as it from now on; open sessions go on. */
export async function lockOut(session: Session, roles: readonly string[]): Promise<void> {
  await session.change(...roles.map((role) => `alter role ${role} nologin password null`));
}

/**
 * Removes a role: nobody can log in as it, its sessions are cut, what it owns in the instance's database goes to the
 * owner role. Does nothing when there is none.
 */
export async function removeRole(hold: Hold, role: string): Promise<void> {
  const { session, key, inside } = hold;
  const found = await findRole(session, role);
  if (!found) return;
  await lockOut(session, [role]);
  await cutSessions(session, found.oid);
  const heir = role === key ? undefined : await findRole(session, key);
  // Also where other users may have given it rights on theirs, or it could never be removed.
  for (const database of await databasesWith(session, found.oid)) {
    const bequest = heir && database === key ? [`reassign owned by ${role} to ${key}`] : [];
    await inside(database, (there) => there.change(...bequest, `drop owned by ${role}`));
  }
  await session.change(`drop owned by ${role}`, `drop role ${role}`);
  // Who was just logging in when it was locked out.
  await cutSessions(session, found.oid);
}

interface Found {
  readonly oid: number;
}

async function findRole(session: Session, role: string): Promise<Found | undefined> {
  const [row] = await session.ask('select oid from pg_roles where rolname = $1', [role]);
  return row && { oid: Number(row['oid']) };
}

async function databasesWith(session: Session, oid: number): Promise<readonly string[]> {
  const rows = await session.ask(
    `select distinct datname from pg_shdepend join pg_database d on d.oid = dbid
     where refclassid = 'pg_authid'::regclass and refobjid = $1::oid`,
    [oid],
  );
  return rows.map(({ datname }) => String(datname));
}

const cutPause = 20;
const cutLimit = 5000;

async function cutSessions(session: Session, oid: number): Promise<void> {
  await cut(() =>
    session.ask('select pg_terminate_backend(pid) from pg_stat_activity where usesysid = $1::oid', [oid]),
  );
}

/** Ends the sessions of an instance's roles in its database. */
export async function cutSessionsIn(session: Session, key: string): Promise<void> {
  await cut(() =>
    session.ask(
      `select pg_terminate_backend(pid)
       from pg_stat_activity a
         join pg_auth_members m on m.member = a.usesysid
         join pg_roles o on o.oid = m.roleid
       where a.datname = $1 and o.rolname = $1 and a.usename <> current_user`,
      [key],
    ),
  );
}

/** Until there is none left: a session ends a moment after it was told to. */
async function cut(terminate: () => Promise<readonly Row[]>): Promise<void> {
  for (const giveUp = performance.now() + cutLimit; (await terminate()).length > 0;) {
    if (performance.now() > giveUp) throw new Error('Sessions that were told to end did not.');
    await sleep(cutPause);
  }
}
