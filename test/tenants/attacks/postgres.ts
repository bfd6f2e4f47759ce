import { Client } from 'pg';
import type { Holding } from '../market.ts';
import { type Attack, type Attacks, tryEach } from './attack.ts';

async function ask(
  as: Holding,
  statements: readonly string[],
  database?: string,
): Promise<readonly unknown[]> {
  const { uri = '' } = as.credentials;
  const url = new URL(uri);
  if (database !== undefined) url.pathname = `/${database}`;
  const client = new Client({ connectionString: url.href });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await tryEach(statements, async (statement) => (await client.query(statement)).rows as unknown);
  } finally {
    await client.end();
  }
}

const no = '(?:denied|superuser|must be|only roles|not allowed)';

function refuses(to: string, ...statements: readonly string[]): Attack {
  return {
    to,
    try: ({ mine }) => ask(mine, statements),
    refusal: new RegExp(`^(?:[^\\n]*${no}[^\\n]*(?:\\n|$)){${statements.length}}$`, 'i'),
  };
}

/** Of the superuser, whose name depends on who has started the broker. */
const becoming = (statement: string) =>
  `do $$ begin execute format('${statement} %I', (select rolname from pg_roles where rolsuper limit 1)); end $$`;

export const postgres: Attacks = {
  plan: 'small',
  async plant(holding, secret) {
    const [, , rows] = await ask(holding, [
      'create table secrets (value text)',
      `insert into secrets values ('${secret}')`,
      'select value from secrets',
    ]);
    if (!JSON.stringify(rows).includes(secret)) throw new Error(JSON.stringify(rows));
  },
  attacks: [
    {
      to: 'read or write files',
      try: ({ mine, paths }) =>
        ask(mine, [
          'create table read (line text)',
          ...['/etc/passwd', 'postgresql.conf', ...paths].flatMap((path) => [
            `select pg_read_file('${path}')`,
            `select pg_read_binary_file('${path}')`,
            `select lo_import('${path}')`,
            `copy read from '${path}'`,
          ]),
          "select pg_ls_dir('.')",
          "select pg_stat_file('PG_VERSION')",
          "copy read to '/tmp/x'",
          "select lo_export(1, '/tmp/x')",
          'select line from read',
        ]),
      refusal:
        /^\[\]\n(?:[^\n]*(?:denied|superuser|privileges)[^\n]*\n)+\[\]$|^\n?(?:[^\n]*(?:denied|superuser|privileges|role)[^\n]*\n)+$/,
    },
    refuses(
      'run programs',
      "copy read from program 'id'",
      "copy read to program 'cat'",
      'create extension plpython3u',
      'create extension plperlu',
      "create function f() returns int language c as '/tmp/x.so', 'f'",
      "load '/tmp/x.so'",
      "alter system set archive_command = 'id'",
    ),
    refuses(
      'open a connection to elsewhere',
      'create extension dblink',
      'create extension postgres_fdw',
      'create extension file_fdw',
      "create subscription s connection 'host=127.0.0.1' publication p",
    ),
    refuses(
      'make or become another role',
      'create role x superuser',
      'create database x',
      becoming('set role'),
      becoming('set session authorization'),
      'select * from pg_authid',
      'grant pg_read_server_files to current_user',
      'alter role current_user superuser',
    ),
    {
      to: 'let a tenant into the databases of others, or of the broker',
      async try({ mine }) {
        const [rows] = (await ask(mine, [
          'select datname from pg_database where datallowconn and datname <> current_database()',
        ])) as [readonly { datname: string }[]];
        const names = rows.map(({ datname }) => datname);
        const had = await tryEach(names, (name) => ask(mine, ['select 1 as inside'], name));
        return [`${names.length > 1}`, ...had];
      },
      refusal: /^true\n(?:[^\n]*(?:denied|not permitted)[^\n]*(?:\n|$))+$/,
    },
    {
      to: 'tell what other sessions do, and end them',
      try: ({ mine }) =>
        ask(mine, [
          "select count(*)::int as seen from pg_stat_activity where usename <> current_user and query <> '<insufficient privilege>' and query <> ''",
          'select pg_terminate_backend(pid) from pg_stat_activity where usename <> current_user limit 1',
        ]),
      refusal: /"seen":0[^]*(?:permission denied|must be|\[\])/,
    },
    {
      to: 'tell the ids of other instances by comments',
      try: ({ mine, neighbour }) =>
        ask(mine, [
          `select count(*)::int as told from pg_database where shobj_description(oid, 'pg_database') like '%${neighbour.id}%'`,
          `select count(*)::int as told from pg_roles where shobj_description(oid, 'pg_authid') like '%${neighbour.id}%'`,
          `select count(*)::int as told from pg_shdescription where description like '%-%-%-%-%'`,
        ]),
      refusal: /^\[?\{"told":0\}\]?\n\[?\{"told":0\}\]?\n\[?\{"told":0\}\]?$/,
    },
  ],
};
