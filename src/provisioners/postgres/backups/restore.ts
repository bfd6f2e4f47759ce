import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { escapeLiteral } from 'pg';
import { Failure } from '../../../broker/errors.ts';
import { keyOf } from '../../../broker/key.ts';
import type { Archive, Work } from '../../../broker/provisioner.ts';
import { codeOf } from '../../../system/error-code.ts';
import { furnish, limitIdleTransactions, requireDatabase } from '../database.ts';
import type { Hold } from '../hold.ts';
import { draftOf, formerOf, markOf } from '../names.ts';
import { megabytes } from '../quota.ts';
import { cutSessionsIn, findRoles, makeBindingRole, removeRole } from '../roles.ts';
import { readShape } from '../shape.ts';
import { leftOut } from './dump.ts';
import { inFolder, type Login, type Programs } from './programs.ts';

/**
 * Puts the backup into a new database, which then takes the name of the present one, in one transaction: until then the
 * instance is as it was. Who may log in stays the same.
 */
export async function restoreDatabase(
  hold: Hold,
  archive: Archive,
  { programs, work }: { readonly programs: Programs; readonly work: Work },
): Promise<void> {
  await requireDatabase(hold);
  const role = keyOf(hold.key, 'restore');
  await removeLeft(hold);
  await makeDraft(hold);
  const password = randomBytes(24).toString('hex');
  await makeBindingRole(hold, role, { password, connectionLimit: connections });
  try {
    await actAsOwner(hold, [role]);
    const login = { user: role, password, database: draftOf(hold) };
    await load(hold, archive, { programs, login });
  } finally {
    await removeRole(hold, role);
  }
  await requireWithin(hold, readShape(work).quota);
  await limitIdleTransactions({ ...hold, key: draftOf(hold) }, readShape(work).idleTransaction);
  await exchange(hold, work.signal);
  await removeLeft(hold);
}

/** Of the role that restores: it comes by one, and a second one may still be on its way out. */
const connections = 4;

/** What a restore that ended in the middle has left. */
async function removeLeft(hold: Hold): Promise<void> {
  for (const name of [draftOf(hold), formerOf(hold)])
    await hold.session.change(`drop database if exists ${name} with (force)`);
}

async function makeDraft(hold: Hold): Promise<void> {
  const { session, key } = hold;
  const draft = draftOf(hold);
  await session.change(`create database ${draft} template template0 connection limit ${connections}`);
  await session.change(
    `revoke all on database ${draft} from public`,
    `grant connect, create, temporary on database ${draft} to ${key}`,
    `comment on database ${draft} is ${escapeLiteral(markOf(hold))}`,
  );
  await hold.inside(draft, (there) => there.change(`alter schema public owner to ${key}`));
}

/** In the new database, as in the one whose place it takes. */
async function actAsOwner(hold: Hold, roles: readonly string[]): Promise<void> {
  const { session, key } = hold;
  await session.change(
    ...roles.map((role) => `alter role ${role} in database ${draftOf(hold)} set role = ${key}`),
  );
}

/** As a role that can do what bindings can: what tenants have written is carried out while it is put back. */
async function load(
  hold: Hold,
  archive: Archive,
  { programs, login }: { readonly programs: Programs; readonly login: Login },
): Promise<void> {
  await inFolder(async (folder) => {
    let contents = '';
    // What the program reads of it is its beginning.
    await archive.load(async (from) => {
      contents = await programs.run(['pg_restore', '--list'], undefined, { from });
    });
    await addUntrusted(hold, extensionsIn(contents));
    const list = join(folder, 'list');
    writeFileSync(list, contents.replaceAll(commentOnExtension, ''), { mode: 0o600 });
    const words = ['--exit-on-error', `--dbname=${login.database}`, `--use-list=${list}`, ...leftOut];
    await archive.load(async (from) => {
      await programs.run(['pg_restore', ...words], login, { from });
    });
  });
}

/** Only the administrator, to whom some extensions belong, could say them; they come with the extension. */
const commentOnExtension = /^.* COMMENT - EXTENSION .*$/gm;

function extensionsIn(contents: string): readonly string[] {
  return [...contents.matchAll(/^\d+; \d+ \d+ EXTENSION - (\S+)/gm)].map(([, name = '']) => name);
}

/** Those that only the administrator adds, as an offering wanted it when the backup was made. */
async function addUntrusted(hold: Hold, names: readonly string[]): Promise<void> {
  const rows = await hold.session.ask(
    'select distinct name from pg_available_extension_versions where name = any($1) and not trusted',
    [names],
  );
  const untrusted = rows.map(({ name }) => String(name));
  await furnish({ ...hold, key: draftOf(hold) }, untrusted, { schema: false });
}

/** @throws Failure when nobody could get in afterwards */
async function requireWithin(hold: Hold, quota: number | undefined): Promise<void> {
  const [row] = await hold.session.ask('select pg_database_size($1)::float8 as size', [draftOf(hold)]);
  const size = Number(row?.['size']);
  if (quota === undefined || size <= quota) return;
  throw new Failure(
    'quota',
    `The backup takes ${megabytes(size)} MB, and the plan allows ${megabytes(quota)} MB. Nothing was changed.`,
  );
}

/** Milliseconds in which sessions that come again and again are ended again and again. */
const exchangeLimit = 30_000;

async function exchange(hold: Hold, signal: AbortSignal): Promise<void> {
  const { session, key } = hold;
  const [draft, former] = [draftOf(hold), formerOf(hold)];
  await actAsOwner(
    hold,
    (await findRoles(hold)).filter((role) => role !== key),
  );
  const [row] = await session.ask('select datconnlimit from pg_database where datname = $1', [key]);
  const limit = Number(row?.['datconnlimit']);
  for (const giveUp = performance.now() + exchangeLimit; ;) {
    await cutSessionsIn(session, key);
    try {
      return await session.change(
        `alter database ${key} rename to ${former}`,
        `alter database ${draft} rename to ${key}`,
        `alter database ${key} connection limit ${limit}`,
      );
    } catch (error) {
      // Somebody is in it.
      if (codeOf(error) !== '55006' || performance.now() > giveUp) throw error;
      await sleep(50, undefined, { signal });
    }
  }
}
