import { enter, say } from './databases.ts';
import { look, provisionedDatabases } from './provisioned.ts';

const { databases, made, provisioned } = provisionedDatabases();

/** What somebody with the login of a binding finds of the neighbours and of the server, and takes from them. */

describe('Reach', () => {
  test('Nothing that a role reads says the id of another instance: neither names nor comments.', async () => {
    const [instance, neighbour] = [await provisioned(), await provisioned()];
    await neighbour.bind('one');
    const login = await instance.bind('one');
    const seen = await say(
      login,
      `select datname::text as said from pg_database union all select rolname::text from pg_roles
       union all select description from pg_shdescription union all select description from pg_description
       union all select coalesce(usename::text, '') from pg_stat_activity
       union all select coalesce(query, '') from pg_stat_activity
       union all select array_to_string(setconfig, ' ') from pg_db_role_setting`,
    );
    const text = JSON.stringify(seen);
    expect(text).toContain(neighbour.key);
    expect(text).not.toContain(neighbour.id);
    expect(text).not.toContain(instance.id);
  });

  test('Comments of before that say an id are changed when somebody looks for orphans, and say the same key.', async () => {
    const [instance, old] = [await provisioned(), await provisioned()];
    await old.bind('one');
    const former = `purveyor instance ${old.id}`;
    for (const what of [`database ${old.key}`, `role ${old.key}`, `role ${old.role('one')}`])
      await databases.pool.query(`comment on ${what} is '${former}'`);
    const lonely = databases.anInstance();
    await databases.pool.query(`create role ${lonely.role('one')}`);
    const said = `purveyor instance ${encodeURIComponent('an id')} ${lonely.key}`;
    await databases.pool.query(`comment on role ${lonely.role('one')} is '${said}'`);
    const things = (await databases.provisioner.inventory?.()) ?? [];
    const mine = things.filter(({ key }) => [old.key, lonely.key].includes(key ?? ''));
    expect(mine.map(({ name }) => name).toSorted()).toEqual(
      [`database ${old.key}`, `role ${lonely.role('one')}`].toSorted(),
    );
    const read = `select description from pg_shdescription where description ~ '^purveyor instance '`;
    expect(await say(await instance.bind('one'), read)).toEqual([]);
    for (const thing of mine) if (thing.key === lonely.key) await databases.provisioner.purge?.(thing);
    await old.bind('two');
    await old.unbind('one');
  });

  test.each([
    ['the databases of others and of the server', undefined],
    ['programs, through COPY', `copy (select 1) to program 'true'`],
    ['files, through COPY', `copy (select 1) to '/tmp/x'`],
    ['files, through large objects', `select lo_import('/etc/hostname')`],
    ['files, through large objects that go out', `select lo_export(lo_from_bytea(0, ''), '/tmp/x')`],
    ['files, through functions', `select pg_read_file('/etc/hostname')`],
    ['other servers, through dblink', 'create extension dblink'],
    ['other servers, through a foreign data wrapper', 'create extension postgres_fdw'],
    ['files, through a foreign data wrapper', 'create extension file_fdw'],
    ['a wrapper of its own', 'create foreign data wrapper w'],
    [
      'other servers, through a subscription',
      `create subscription s connection 'host=127.0.0.1' publication p`,
    ],
    ['a language that does all', 'create extension plpython3u'],
    [
      'C functions',
      `create function f() returns int as '/lib/x86_64-linux-gnu/libc.so.6', 'getpid' language c`,
    ],
    ['roles of the server', 'grant pg_read_server_files to current_user'],
    ['the settings of the server', `alter system set log_statement = 'all'`],
    ['its own limit of temporary files', 'set temp_file_limit = -1'],
    ['the passwords of others', 'select * from pg_authid'],
    ['new databases', 'create database more'],
    ['new roles', 'create role more'],
  ])('A binding does not reach %s.', async (_what, statement) => {
    const [instance, neighbour] = [await provisioned(), await provisioned()];
    const login = await instance.bind('one');
    if (statement !== undefined) return expect(say(login, statement)).rejects.toThrow(refused);
    await neighbour.bind('one');
    for (const database of [neighbour.key, 'postgres', 'template1', 'template0'])
      await expect(say({ ...login, database }, 'select 1')).rejects.toThrow(refused);
  });
});

const refused =
  /permission denied|must be (?:a )?(?:superuser|owner)|must have|no such|not currently accepting|is not available|does not exist|could not open extension control file|Only roles|untrusted/i;

describe('Connections', () => {
  const all = `select current_setting('max_connections')::int as n`;

  async function share(part: number): Promise<number> {
    const [{ n }] = (await databases.pool.query<{ n: number }>(all)).rows as [{ n: number }];
    return Math.floor(n * part);
  }

  test('An instance that asks for more than the server has left is refused with a sentence, at its making and later.', async () => {
    const instance = databases.anInstance({ connection_limit: await share(1) });
    made.push(instance);
    await expect(instance.provision()).rejects.toMatchObject({
      word: 'no-connections',
      message: expect.stringContaining('not enough connections left for this plan') as string,
    });
    const other = await provisioned({ connection_limit: 2 });
    const login = await other.bind('one');
    const larger = other.with({ connection_limit: await share(1), extensions: ['citext'] }).work();
    await expect(databases.provisioner.update?.(larger)).rejects.toMatchObject({
      word: 'no-connections',
      hints: { instanceUsable: true, updateRepeatable: true },
    });
    expect(await say(login, `select extname from pg_extension where extname = 'citext'`)).toEqual([]);
    expect(await limits(other.key)).toEqual([2, 2]);
  });

  test('Of two that ask at once for more than half each, one gets its connections and the other none.', async () => {
    const connection_limit = await share(0.46);
    const both = [databases.anInstance({ connection_limit }), databases.anInstance({ connection_limit })];
    made.push(...both);
    const ends = await Promise.allSettled(both.map((instance) => instance.provision()));
    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  });

  test('An offering that says no limit has ten connections; a database of before gets them with its next update.', async () => {
    const instance = await provisioned({});
    expect(await limits(instance.key)).toEqual([10]);
    await databases.pool.query(`alter database ${instance.key} connection limit -1`);
    await databases.provisioner.update?.(instance.with({}).work());
    expect(await limits(instance.key)).toEqual([10]);
  });

  test('A role has no more connections than its database, also after an update.', async () => {
    const instance = await provisioned({ connection_limit: 2 });
    await instance.bind('one');
    expect(await limits(instance.key)).toEqual([2, 2]);
    await databases.provisioner.update?.(instance.with({ connection_limit: 3 }).work());
    expect(await limits(instance.key)).toEqual([3, 3]);
  });

  async function limits(key: string): Promise<readonly number[]> {
    const { rows } = await databases.pool.query<{ n: number }>(
      `select datconnlimit as n from pg_database where datname = $1 union all
       select r.rolconnlimit from pg_roles r join pg_auth_members m on m.member = r.oid
         join pg_roles o on o.oid = m.roleid where o.rolname = $1 and r.rolname ~ '^p[0-9a-f]{20}$'`,
      [key],
    );
    return rows.map(({ n }) => n);
  }
});

describe('Temporary files', () => {
  const sort = (rows: number) =>
    `select count(*) from (select n, md5(n::text) as m from generate_series(1, ${rows}) n order by m offset 1) s`;

  test('One session has no more temporary files than a part of the quota, and gets that back by nothing.', async () => {
    const instance = await provisioned({ quota_mb: 64 });
    const login = await instance.bind('one');
    await expect(say(login, sort(1_000_000))).rejects.toMatchObject({ code: '53400' });
    await say(login, 'reset temp_file_limit', 'alter role current_user reset all').catch(() => undefined);
    await say(login, 'set role none', 'alter role current_user reset all');
    await expect(say(login, sort(1_000_000))).rejects.toMatchObject({ code: '53400' });
    await databases.provisioner.update?.(instance.with({}).work());
    expect(await say(login, sort(400_000))).toHaveLength(1);
  });

  test('A database that was made before gets its limits at the next look.', async () => {
    const instance = await provisioned();
    const login = await instance.bind('one');
    expect(await look(databases, instance.with({ quota_mb: 64 }))).toMatchObject({ answer: 'ready' });
    await expect(say(login, sort(1_000_000))).rejects.toMatchObject({ code: '53400' });
  });

  test('Temporary files count for the quota: what has too many is cut, with a reason, and gets in again.', async () => {
    const instance = await provisioned({ quota_mb: 16 });
    const login = await instance.bind('one');
    const { client, ended } = await enter(login);
    await client.query('begin');
    await client.query(`declare c cursor for ${sort(250_000).replace('count(*)', 'm')}`);
    await client.query('fetch 1 from c');
    expect(await look(databases, instance)).toMatchObject({
      answer: 'silent',
      reason: expect.stringMatching(/^it has \d\d MB and may have 16 MB/) as string,
    });
    await ended;
    expect(await look(databases, instance)).toMatchObject({ answer: 'ready' });
    expect(await say(login, 'select 1 as n')).toEqual([{ n: 1 }]);
  });
});
