import { escapeIdentifier, escapeLiteral } from 'pg';
import { giveConnections } from './capacity.ts';
import { Failure } from '../../broker/errors.ts';
import type { Hold } from './hold.ts';
import { type Session } from './session.ts';
import { codeOf } from '../../system/error-code.ts';
import { draftOf, formerOf, markOf } from './names.ts';
import { findRoles, lockOut, makeOwner, removeRole } from './roles.ts';

/**
 * Makes the database, empty and open to nobody but the roles of its instance. It belongs to the administrator: who
 * owns a database can raise its connection limit, let anybody in and keep it from being dropped.
 */
export async function makeDatabase(hold: Hold, connectionLimit: number): Promise<void> {
  const { session, key } = hold;
  await makeOwner(hold);
  const [found] = await session.ask('select datconnlimit from pg_database where datname = $1', [key]);
  // As a removal leaves it that was interrupted; there is nothing in it.
  if (found?.['datconnlimit'] === -2) await session.change(`drop database ${key}`);
  // Until all is set, only an administrator gets in.
  if (found?.['datconnlimit'] === -2 || !found)
    await session.change(`create database ${key} template template0 connection limit 0`).catch(unlessThere);
  await session.change(
    `revoke all on database ${key} from public`,
    `grant connect, create, temporary on database ${key} to ${key}`,
    `comment on database ${key} is ${escapeLiteral(markOf(hold))}`,
  );
  await giveConnections(hold, connectionLimit);
}

function unlessThere(error: unknown): void {
  if (!['42P04', '23505'].includes(codeOf(error))) throw error;
}

/** Throws Failure when it is gone: a new one would be empty, and nobody would be told. */
export async function requireDatabase({ session, key }: Hold): Promise<void> {
  const found = await session.ask(
    'select from pg_database join pg_roles on rolname = datname where datname = $1',
    [key],
  );
  if (found.length === 0)
    throw new Failure('gone', 'The database is not there any more.', { detail: `There is no ${key}.` });
}

/** @throws Failure when the server has not so many left */
export async function limitConnections(hold: Hold, limit: number): Promise<void> {
  await giveConnections(hold, limit);
  const roles = (await findRoles(hold)).filter((role) => role !== hold.key);
  await hold.session.change(...roles.map((role) => `alter role ${role} connection limit ${limit}`));
}

/**
 * What a session in the database has unless it says otherwise: a transaction that its application has forgotten holds
 * locks, and keeps what was deleted from being cleaned up, for all others.
 * @param seconds absent: it may stand still for ever
 */
export async function limitIdleTransactions({ session, key }: Hold, seconds?: number): Promise<void> {
  const name = 'idle_in_transaction_session_timeout';
  const change = seconds === undefined ? `reset ${name}` : `set ${name} = '${seconds}s'`;
  await session.change(`alter database ${key} ${change}`);
}

/** Removes the database and all roles of an instance, in whatever state they are. */
export async function removeDatabase(hold: Hold): Promise<void> {
  const { session, key } = hold;
  const roles = await findRoles(hold);
  await lockOut(session, roles);
  await rollBackPrepared(hold);
  for (const name of [draftOf(hold), formerOf(hold), key])
    await session.change(`drop database if exists ${name} with (force)`);
  for (const role of roles) await removeRole(hold, role);
}

/** Where a server allows them, prepared transactions outlive their sessions, and a database is not dropped with one. */
async function rollBackPrepared({ session, key, inside }: Hold): Promise<void> {
  const prepared = await session.ask('select gid from pg_prepared_xacts where database = $1', [key]);
  for (const { gid } of prepared)
    await inside(key, (there) => there.change(`rollback prepared ${escapeLiteral(String(gid))}`));
}

/** Gives the schema `public` to the owner role, and adds the extensions that are not there yet. */
export async function furnish(
  { inside, key }: Hold,
  extensions: readonly string[],
  parts: { readonly schema: boolean },
): Promise<void> {
  if (!parts.schema && extensions.length === 0) return;
  await inside(key, async (session) => {
    if (parts.schema) await giveSchema(session, key);
    const rows = await session.ask('select extname from pg_extension');
    const there = rows.map((row) => row['extname']);
    for (const name of extensions) if (!there.includes(name)) await addExtension(session, name);
  });
}

/** Up to Postgres 14 the schema is the server's owner's, and open to all: then others cannot give it away. */
async function giveSchema(session: Session, key: string): Promise<void> {
  const open = await session.ask(
    `select from pg_namespace
     where nspname = 'public' and pg_has_role(nspowner, 'usage') and nspowner <> $1::regrole`,
    [key],
  );
  if (open.length > 0) await session.change(`alter schema public owner to ${key}`);
}

async function addExtension(session: Session, name: string): Promise<void> {
  try {
    await session.change(
      'set local search_path = public',
      `create extension if not exists ${escapeIdentifier(name)} cascade`,
    );
  } catch (error) {
    // Not available on the server, not allowed, or a name of its is taken: no try will change that.
    if (!/^(0A000|58P01|3F000|42...)$/.test(codeOf(error))) throw error;
    throw new Failure('extension', `The extension ${name} cannot be added to this database.`, {
      detail: (error as Error).message,
      instanceUsable: true,
    });
  }
}
