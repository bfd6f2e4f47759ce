import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectNats, type NatsConnection } from '@nats-io/transport-node';
import { Client, Pool } from 'pg';
import { askMemcached, memcachedGet, memcachedSet } from '../support/memcached-client.ts';
import { expectNoSecrets, expectPrivate, returnWholly } from './privacy.ts';
import { watchProcesses } from '../support/process-list.ts';
import { address, type Bound, describeOffering, openShop, type Shop } from './shop.ts';

/** What starts within a moment, or is there already: the real programs, used with the credentials of bindings. */

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

describeOffering('memcached', () => {
  const loginOf = ({ credentials: { host, username, password }, port }: Bound) => ({
    host,
    port,
    username,
    password,
  });
  const refused = [expect.objectContaining({ status: 0x20 }), expect.objectContaining({ status: 0x20 })];

  test('A20, S11: What one binding stores, another one gets; without a login, or with one of before, nobody does.', async () => {
    const watch = watchProcesses();
    const memcached = await shop.buy('memcached', 'small');
    const bindings = [await memcached.bind(), await memcached.bind()] as const;
    const [first, second] = bindings;
    const [, stored] = await askMemcached(loginOf(first), [memcachedSet('key', 'value')]);
    expect(stored).toMatchObject({ status: 0 });
    const get = [memcachedGet('key')];
    const [, found] = await askMemcached(loginOf(second), get);
    expect(found).toMatchObject({ status: 0, value: 'value' });
    const anonymous = { ...loginOf(first), username: undefined };
    expect(await askMemcached(anonymous, get)).toMatchObject([{ status: 0x20 }]);
    expect(await askMemcached({ ...loginOf(first), password: 'a-guess' }, get)).toEqual(refused);
    expectNoSecrets(watch.end(), memcached, bindings);
    expectPrivate(memcached);
    await first.unbind();
    expect(await askMemcached(loginOf(first), get)).toEqual(refused);
    expect((await askMemcached(loginOf(second), get)).at(-1)).toMatchObject({ value: 'value' });
    await returnWholly(memcached, second.port);
  });
});

describeOffering('nats', () => {
  const opened: NatsConnection[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((connection) => connection.close()));
  });

  async function logIn(
    { credentials }: Bound,
    pass = credentials['password'] ?? '',
  ): Promise<NatsConnection> {
    const { host, port, username: user = '' } = credentials;
    const connection = await connectNats({ servers: `${host}:${port}`, user, pass, reconnect: false });
    opened.push(connection);
    return connection;
  }

  test('A20, S11: What one binding publishes, another one that has subscribed receives.', async () => {
    const watch = watchProcesses();
    const nats = await shop.buy('nats', 'small');
    const bindings = [await nats.bind(), await nats.bind()] as const;
    const [first, second] = bindings;
    const { uri, ...parts } = second.credentials;
    const { hostname: host, port, username, password } = new URL(uri ?? '');
    const named = { hostname: host, url: uri, type: 'nats', provider: 'purveyor' };
    expect({ host, port: Number(port), username, password, ...named }).toEqual(parts);
    const [publishing, listening] = [await logIn(first), await logIn(second)];
    const subscription = listening.subscribe('orders', { max: 1 });
    await listening.flush();
    publishing.publish('orders', 'one tea');
    const heard: string[] = [];
    for await (const message of subscription) heard.push(message.string());
    expect(heard).toEqual(['one tea']);
    await expect(logIn(first, 'a-guess')).rejects.toThrow(/authorization/i);
    expect(publishing.info?.max_payload).toBe(1024 * 1024);
    expectNoSecrets(watch.end(), nats, bindings);
    expectPrivate(nats);
    await returnWholly(nats, second.port);
  });
});

describeOffering('search', () => {
  test('A20, S1, S11: Documents are loaded and found by HTTP and JSON with the login of a binding, until it goes.', async () => {
    const watch = watchProcesses();
    const search = await shop.buy('search', 'small');
    const bound = await search.bind();
    const { credentials, port } = bound;
    const [username, password] = [credentials['username'] ?? '', credentials['password'] ?? ''];
    const uri = `http://${username}:${password}@${address}:${port}`;
    const rest = { name: search.key, node_id: shop.node, username, password, uri };
    const named = { hostname: address, url: uri, type: 'groonga', provider: 'purveyor' };
    expect(credentials).toEqual({ host: address, port, ...rest, ...named });
    await ask('table_create', { name: 'Teas', flags: 'TABLE_HASH_KEY', key_type: 'ShortText' });
    await ask('column_create', { table: 'Teas', name: 'about', type: 'Text' });
    await ask('table_create', {
      name: 'Terms',
      flags: 'TABLE_PAT_KEY',
      key_type: 'ShortText',
      default_tokenizer: 'TokenBigram',
      normalizer: 'NormalizerAuto',
    });
    const indexed = { flags: 'COLUMN_INDEX|WITH_POSITION', type: 'Teas', source: 'about' };
    await ask('column_create', { table: 'Terms', name: 'index', ...indexed });
    const teas = [
      { _key: 'assam', about: 'Black and malty' },
      { _key: 'sencha', about: 'Green and grassy' },
    ];
    expect(await ask('load', { table: 'Teas' }, teas)).toBe(2);
    await search.act('restart');
    const [[count, , ...found]] = (await ask('select', {
      table: 'Teas',
      match_columns: 'about',
      query: 'green',
      output_columns: '_key',
    })) as [[number[], unknown, ...string[][]]];
    expect({ count, found }).toEqual({ count: [1], found: [['sencha']] });
    const other = await search.bind();
    expectNoSecrets(watch.end(), search, [bound, other]);
    expectPrivate(search);
    await bound.unbind();
    expect((await request('status')).status).toBe(401);
    expect((await request('status', undefined, other.credentials)).status).toBe(200);
    await returnWholly(search, port);

    function request(
      path: string,
      body?: object,
      { username, password } = credentials as { username?: string; password?: string },
    ): Promise<Response> {
      const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      const post = body && { method: 'POST', body: JSON.stringify(body) };
      const headers = { authorization, 'content-type': 'application/json' };
      return fetch(`http://${address}:${port}/d/${path}`, { ...post, headers });
    }

    async function ask(command: string, given: Record<string, string>, body?: object): Promise<unknown> {
      const answer = await request(`${command}?${new URLSearchParams(given).toString()}`, body);
      const [[code, , , message], result] = (await answer.json()) as [
        [number, number, number, string?],
        unknown,
      ];
      expect({ code, message }).toEqual({ code: 0, message: undefined });
      return result;
    }
  });
});

describeOffering('postgres', () => {
  const opened: Client[] = [];
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((client) => client.end()));
  });

  async function logIn({ credentials }: Bound): Promise<Client> {
    const client = new Client({ connectionString: credentials['uri'] });
    client.on('error', () => undefined);
    await client.connect();
    opened.push(client);
    return client;
  }

  test('A20, S9: A role for each binding: tables are shared, and survive the unbind of who made them.', async () => {
    const postgres = await shop.buy('postgres', 'small', { extensions: ['pgcrypto'] });
    const [first, second] = [await postgres.bind(), await postgres.bind()];
    const { uri, host, port, name: database, username: user, password } = first.credentials;
    const parts = { host, port: Number(port), database, user, password };
    expect(uri).toBe(`postgres://${user}:${password}@${host}:${port}/${database}`);
    const [one, other] = [new Client(parts), await logIn(second)];
    one.on('error', () => undefined);
    await one.connect();
    opened.push(one);
    await one.query(
      "create table goods as select 'tea' as name, encode(digest('tea', 'sha1'), 'hex') as code",
    );
    const { rows } = await other.query('select name, code from goods');
    expect(rows).toEqual([{ name: 'tea', code: expect.stringMatching(/^[0-9a-f]{40}$/) as string }]);

    expect(await limit()).toBe(10);
    expect((await postgres.update('medium')).status).toBe(200);
    expect(await limit()).toBe(40);

    await first.unbind();
    await expect(one.query('select 1')).rejects.toThrow();
    await expect(logIn(first)).rejects.toMatchObject({ code: '28P01' });
    await other.query("insert into goods values ('coffee')");
    await postgres.deprovision();
    await expect(other.query('select 1')).rejects.toThrow();
    expect(await leftOf(database ?? '', [user ?? '', second.credentials['username'] ?? ''])).toEqual([]);

    async function limit(): Promise<number> {
      const asking = await logIn(second);
      const found = await asking.query<{ datconnlimit: number }>(
        'select datconnlimit from pg_database where datname = current_database()',
      );
      return found.rows[0]?.datconnlimit ?? 0;
    }
  });

  /** Databases and roles of these names. */
  async function leftOf(database: string, roles: readonly string[]): Promise<readonly unknown[]> {
    const pool = new Pool({ connectionString: process.env['PURVEYOR_TEST_DATABASE'] });
    try {
      const { rows } = await pool.query(
        'select datname from pg_database where datname = $1 union all select rolname from pg_roles where rolname = any($2)',
        [database, [database, ...roles]],
      );
      return rows;
    } finally {
      await pool.end();
    }
  }
});

const bareContainer = ['--ro-bind', '/usr', '/usr', ...['bin', 'lib', 'lib64'].flatMap(systemFolder)];

describeOffering('filesystem', () => {
  test('S12: What one binding writes, another one reads at its path; the directory goes with the instance.', async () => {
    const filesystem = await shop.buy('filesystem', 'small');
    const [first, second] = [await filesystem.bind(), await filesystem.bind()];
    const { path = '', name } = first.credentials;
    expect(name).toBe(filesystem.key);
    writeFileSync(join(path, 'order.txt'), 'one tea');
    await first.unbind();
    expect(readFileSync(join(second.credentials['path'] ?? '', 'order.txt'), 'utf8')).toBe('one tea');
    await filesystem.deprovision();
    expect(existsSync(path)).toBe(false);
  });

  test('A platform that mounts is told a volume, which it shows to a container under the path of the credentials.', async () => {
    const filesystem = await shop.buy('filesystem', 'small');
    const { credentials, volumeMounts } = await filesystem.bind();
    const { path = '' } = credentials;
    expect(volumeMounts).toEqual([
      {
        driver: 'local',
        container_dir: path,
        mode: 'rw',
        device_type: 'shared',
        device: { volume_id: filesystem.key, mount_config: { type: 'none', o: 'bind,rw', device: path } },
      },
    ]);
    const { body } = await shop.broker.ask('get', '/v2/catalog');
    const { services } = body as { services: readonly { name: string; requires?: readonly string[] }[] };
    expect(services.find(({ name }) => name === 'filesystem')?.requires).toEqual(['volume_mount']);
    await filesystem.deprovision();
  });

  test('A bind chooses where its volume appears, and that it is read-only; what is no such path is refused by name.', async () => {
    const filesystem = await shop.buy('filesystem', 'small');
    const parameters = { mount: '/var/shop/files.d', readonly: true };
    const { credentials, volumeMounts = [] } = await filesystem.bind({ parameters });
    const [mount] = volumeMounts;
    expect([credentials['path'], mount?.container_dir, mount?.mode]).toEqual([
      parameters.mount,
      parameters.mount,
      'r',
    ]);
    expect(mount?.device.mount_config['o']).toBe('bind,ro');
    for (const mount of ['files', '/', '/a/../b', '/a/', '/a:/b', 7])
      await expect(filesystem.bind({ parameters: { mount } })).rejects.toThrow(/Status 400.*mount/);
    await expect(filesystem.bind({ parameters: { readonly: 'yes' } })).rejects.toThrow(/400.*readonly/);
    await expect(filesystem.bind({ parameters: { mode: 'r' } })).rejects.toThrow(/400.*mode/);
    expect((await filesystem.update('small', { mount: '/a' })).status).toBe(400);
    await filesystem.deprovision();
  });

  const inContainer = canMakeContainers() ? test : test.skip;
  inContainer('What a container writes to its volume is there for the next one (needs bwrap).', async () => {
    const filesystem = await shop.buy('filesystem', 'small');
    const [first, second] = [await filesystem.bind(), await filesystem.bind()];
    runInContainer(first, 'echo "one tea" >"$0/order.txt"');
    expect(runInContainer(second, 'cat "$0/order.txt"')).toBe('one tea\n');
    const reader = await filesystem.bind({ parameters: { mount: '/files', readonly: true } });
    expect(runInContainer(reader, 'cat "$0/order.txt"; echo more 2>&1 >"$0/more" || true')).toMatch(
      /^one tea\n.*Read-only/,
    );
    await filesystem.deprovision();
  });
});

/** A container that has the volumes of a binding and the system's programs, as a platform makes it. */
function runInContainer({ credentials, volumeMounts = [] }: Bound, script: string): string {
  const mounts = volumeMounts.flatMap(({ container_dir: at, mode, device: { mount_config: config } }) => [
    mode === 'r' ? '--ro-bind' : '--bind',
    config['device'] ?? '',
    at,
  ]);
  const args = [...bareContainer, ...mounts, 'sh', '-c', script, credentials['path'] ?? ''];
  return execFileSync('bwrap', args, { encoding: 'utf8' });
}

function systemFolder(name: string): readonly string[] {
  return existsSync(`/${name}`) ? ['--symlink', `usr/${name}`, `/${name}`] : [];
}

function canMakeContainers(): boolean {
  return spawnSync('bwrap', [...bareContainer, 'true']).status === 0;
}
