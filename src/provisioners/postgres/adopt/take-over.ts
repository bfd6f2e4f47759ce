import { escapeIdentifier } from 'pg';
import { Failure } from '../../../broker/errors.ts';
import { codeOf } from '../../../system/error-code.ts';
import type { Hold } from '../hold.ts';
import { findKey } from '../names.ts';

/**
 * Sees to it that the database has the name of the instance's: that of an orphan has it already, any other is renamed, and
 * belongs to the administrator from then on. Who was given rights on it, to connect say, loses them.
 * @param thing as the inventory names it: `database shop`
 * @param own the broker's own database
 * @throws Failure 'gone', 'taken' and 'in-use'
 */
export async function takeOver(hold: Hold, thing: string, own: string | undefined): Promise<void> {
  const { session, key } = hold;
  const [, name] = /^database (.+)$/s.exec(thing) ?? [];
  if (name === undefined)
    throw new Failure('gone', `'${thing}' is no database: it would be called 'database' and its name.`);
  const rows = await session.ask(
    `select datname, datistemplate or not datallowconn or datname in ('postgres', current_database()) as servers,
       datconnlimit = -2 as dropped, shobj_description(oid, 'pg_database') as comment
     from pg_database where datname in ($1, $2)`,
    [name, key],
  );
  const [found, another] = rows;
  if (another)
    throw new Failure(
      'taken',
      `What was called '${name}' before is still there as '${key}'. Adopt or remove that first.`,
    );
  if (!found || found['dropped'] === true) throw new Failure('gone', `There is no database '${name}'.`);
  // An orphan; or it was renamed, and whoever did it has died.
  if (found['datname'] === key) return;
  if (found['servers'] === true || name === own)
    throw new Failure('taken', `The database '${name}' is the server's or the broker's own.`);
  if (findKey(found['comment']) !== undefined)
    throw new Failure('taken', `The database '${name}' belongs to an instance of a broker.`);
  const old = escapeIdentifier(name);
  const guests = await session.ask(
    `select distinct rolname from pg_database, aclexplode(datacl) join pg_roles r on r.oid = grantee
     where datname = $1`,
    [name],
  );
  const changes = [
    `alter database ${old} owner to current_user`,
    ...guests.map(({ rolname }) => `revoke all on database ${old} from ${escapeIdentifier(String(rolname))}`),
    `alter database ${old} rename to ${key}`,
  ];
  await session.change(...changes).catch((error: unknown) => {
    if (codeOf(error) !== '55006') throw error;
    throw new Failure('in-use', 'Somebody is connected to the database. End these connections first.');
  });
}
