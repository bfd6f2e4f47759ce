import { Failure } from '../../broker/errors.ts';
import type { Hold } from './hold.ts';
import { keyForm } from './names.ts';
import type { Session } from './session.ts';
import { connectionsByDefault } from './shape.ts';

/** Of the connections of a server, so many stay for administrators, brokers and whoever else uses it. */
const leastReserve = 10;
const reservedShare = 0.1;

/**
 * Gives a database its connections, out of those of the server: what all databases may have together is never more
 * than the server has, so nobody takes those of another one. Databases of before, which have no limit, count as if
 * they had what is given by default; they get it with their next update.
 * @throws Failure when there are not so many left
 */
export async function giveConnections({ session, key }: Hold, limit: number): Promise<void> {
  await session.ask('select pg_advisory_lock(hashtextextended($1, 0))', [lockName]);
  const { own, free } = await connectionsFor(session, key);
  if (limit > free && limit > own)
    throw new Failure(
      'no-connections',
      'The database server has not enough connections left for this plan. Choose one with fewer, or try again later.',
      {
        detail: `The plan has ${limit}, and the server has ${Math.max(free, 0)} of them left to give.`,
        instanceUsable: true,
        updateRepeatable: true,
      },
    );
  await session.change(`alter database ${key} connection limit ${limit}`);
  await session.ask('select pg_advisory_unlock(hashtextextended($1, 0))', [lockName]);
}

const lockName = 'purveyor gives connections';

interface Connections {
  /** What the database has now. */
  readonly own: number;
  /** What it may have at most; less than nothing on a server that was sold too often. */
  readonly free: number;
}

async function connectionsFor(session: Session, key: string): Promise<Connections> {
  const [row = {}] = await session.ask(
    `select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as all,
       coalesce(sum(connections) filter (where datname <> $2), 0)::int as given,
       coalesce(max(connections) filter (where datname = $2), 0) as own
     from (select datname, case datconnlimit when -1 then $3::int else datconnlimit end as connections
       from pg_database where datname ~ $1 and datconnlimit >= -1) as databases`,
    [keyForm, key, connectionsByDefault],
  );
  const all = Number(row['all']);
  const reserve = Math.max(leastReserve, Math.ceil(all * reservedShare));
  return { own: Number(row['own']), free: all - reserve - Number(row['given']) };
}
