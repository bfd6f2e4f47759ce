import { escapeLiteral } from 'pg';
import type { Provisioner, Resource } from '../../broker/provisioner.ts';
import { removeDatabase } from './database.ts';
import { holding } from './hold.ts';
import type { KnownServers } from './known-servers.ts';
import { findKey, keyForm, markOf, type Names, saysId } from './names.ts';
import type { Servers } from './servers.ts';
import type { Session } from './session.ts';

/** Milliseconds. */
const listLimit = 30_000;
const purgeLimit = 120_000;

/**
 * The things on all known servers; when one cannot be asked, none are told.
 * @param own gives the name of the broker's own database, which is never a thing
 */
export function inventoryOf(
  servers: Servers,
  known: KnownServers,
  own: () => string | undefined,
): Required<Pick<Provisioner, 'inventory' | 'purge'>> {
  return {
    async inventory() {
      const signal = AbortSignal.timeout(listLimit);
      const lists = known
        .all()
        .map((server) => servers.forWork(server, signal).outside((session) => listThings(session, own())));
      return (await Promise.all(lists)).flat();
    },
    async purge(thing) {
      const names = namesOfThing(thing);
      if (names.key === own()) throw new Error('This is the database of the broker itself.');
      const signal = AbortSignal.timeout(purgeLimit);
      for (const server of known.all()) await holding(servers.forWork(server, signal), names, removeDatabase);
    },
  };
}

/** One thing for each instance, with whatever there is of it. */
async function listThings(session: Session, own: string | undefined): Promise<readonly Resource[]> {
  const things = new Map<string, Resource>();
  const all = (await session.ask(listStatement, [keyForm])).map(readFound);
  for (const { kind, name, key } of all) {
    if (key !== own) things.set(key, { name: things.get(key)?.name ?? `${kind} ${name}`, key });
  }
  await session.change(...all.flatMap(withoutId));
  return [...things.values()];
}

/** Comments that a broker of before has written said the id, and every role of the server reads them. */
function withoutId({ kind, name, key, comment }: Found): readonly string[] {
  return saysId(comment) ? [`comment on ${kind} ${name} is ${escapeLiteral(markOf({ key }))}`] : [];
}

// Databases first: they name the thing.
const listStatement = `
  select 'database' as kind, datname as name, shobj_description(d.oid, 'pg_database') as comment, null as owner
  from pg_database d where datname ~ $1
  union all
  select 'role', rolname, shobj_description(r.oid, 'pg_authid'), (
    select min(o.rolname::text) from pg_auth_members m join pg_roles o on o.oid = m.roleid
    where m.member = r.oid and o.rolname ~ $1)
  from pg_roles r where rolname ~ $1
  order by kind, name`;

interface Found {
  readonly kind: 'database' | 'role';
  readonly name: string;
  /** Of the instance. */
  readonly key: string;
  readonly comment: string;
}

/** A binding's role is of the instance whose owner role it is in, or else of the one that its comment names. */
function readFound({ kind, name, comment, owner }: Readonly<Record<string, unknown>>): Found {
  const isDatabase = kind === 'database';
  return {
    kind: isDatabase ? 'database' : 'role',
    name: String(name),
    key: isDatabase ? String(name) : String(owner ?? findKey(comment) ?? name),
    comment: typeof comment === 'string' ? comment : '',
  };
}

function namesOfThing({ name, key }: Resource): Names {
  if (key === undefined || !new RegExp(keyForm).test(key)) throw new Error(`Nobody knows what '${name}' is.`);
  return { key };
}
