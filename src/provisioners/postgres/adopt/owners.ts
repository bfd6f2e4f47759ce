import type { Hold } from '../hold.ts';

/**
 * Gives the owner role what it does not own yet: schemas, tables, views, sequences, routines, types, large objects.
 * What an extension has brought stays the administrator's.
 */
export async function giveAll({ key, inside }: Hold): Promise<void> {
  await inside(key, async (session) => {
    const rows = await session.ask(othersStatement, [key]);
    await session.change(...rows.map(({ thing }) => `alter ${String(thing)} owner to ${key}`));
  });
}

const isOfUsers = (namespace: string) =>
  `${namespace}::text !~ '^pg_' and ${namespace}::text <> 'information_schema'`;

/** Sequences of columns and indexes go with their tables. */
const isFree = (catalog: string, deps: string) =>
  `not exists (select from pg_depend where classid = '${catalog}'::regclass and objid = o.oid and deptype in (${deps}))`;

const othersStatement = `
  select 'schema ' || quote_ident(nspname) as thing from pg_namespace o
  where ${isOfUsers('nspname')} and nspowner <> $1::regrole and ${isFree('pg_namespace', `'e'`)}
  union all
  select case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
    when 'f' then 'foreign table' else 'table' end || ' ' || o.oid::regclass
  from pg_class o where ${isOfUsers('relnamespace::regnamespace')} and relkind in ('r', 'p', 'v', 'm', 'S', 'f')
    and relowner <> $1::regrole and ${isFree('pg_class', `'e', 'a', 'i'`)}
  union all
  select 'routine ' || o.oid::regprocedure
  from pg_proc o where ${isOfUsers('pronamespace::regnamespace')} and proowner <> $1::regrole
    and ${isFree('pg_proc', `'e'`)}
  union all
  select 'type ' || o.oid::regtype
  from pg_type o left join pg_class c on c.oid = typrelid
  where ${isOfUsers('typnamespace::regnamespace')} and typowner <> $1::regrole and typcategory <> 'A'
    and (typtype in ('b', 'd', 'e', 'r') or c.relkind = 'c') and ${isFree('pg_type', `'e', 'i'`)}
  union all
  select 'large object ' || oid from pg_largeobject_metadata o where lomowner <> $1::regrole`;
