import { readFileSync, writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { expectNoSecrets, expectPrivate, returnWholly } from './privacy.ts';
import { type Bought, type Bound, describeOffering, openShop, type Shop } from './shop.ts';
import { until } from '../support/until.ts';
import { watchProcesses } from '../support/process-list.ts';

/** The real Redis, used with the credentials of bindings. */

type Client = ReturnType<typeof clientOf>;

/** What makes a server connect to another one, here into the loopback of its node. */
const connecting = [
  ['MIGRATE', '127.0.0.1', '22', 'key', '0', '1000'],
  ['REPLICAOF', '127.0.0.1', '22'],
  ['SLAVEOF', '127.0.0.1', '22'],
  ['FAILOVER', 'TO', '127.0.0.1', '22'],
  ['CLUSTER', 'MEET', '127.0.0.1', '22'],
  ['PSYNC', '?', '-1'],
  ['SYNC'],
];

let shop: Shop;
const clients: Client[] = [];
beforeAll(async () => {
  shop = await openShop();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});
afterAll(() => shop.close());

function clientOf(options: NonNullable<Parameters<typeof createClient>[0]>) {
  const socket = { ...options.socket, reconnectStrategy: false } as const;
  return createClient({ ...options, socket });
}

async function open(options: NonNullable<Parameters<typeof createClient>[0]>): Promise<Client> {
  const client = clientOf(options);
  client.on('error', () => undefined);
  await client.connect();
  clients.push(client);
  return client;
}

/** Logs in as an application does: with the parts of the credentials. */
function logIn({ credentials, port }: Bound, password = credentials['password']): Promise<Client> {
  const { host, username } = credentials;
  return open({ username, password, socket: { host, port } });
}

/** As a client does that knows of no users. */
function byPassword({ credentials, port }: Bound): Promise<Client> {
  const { host, password } = credentials;
  return open({ password, socket: { host, port } });
}

function byUri({ credentials }: Bound): Promise<Client> {
  return open({ url: credentials['uri'] });
}

async function info(client: Client, name: string): Promise<string | undefined> {
  const text = await client.info();
  return new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(text)?.[1];
}

async function isCutOff(client: Client): Promise<boolean> {
  return client.ping().then(
    () => false,
    () => true,
  );
}

describeOffering('redis', () => {
  test('A20: is made within a moment, and used with the login of a binding, or its uri.', async () => {
    const begun = performance.now();
    const redis = await shop.buy('redis', 'small');
    const bound = await redis.bind();
    // Under a second where nothing else keeps the machine busy.
    expect(performance.now() - begun).toBeLessThan(20_000);
    const client = await logIn(bound);
    await client.set('greeting', 'hello');
    expect(await (await byUri(bound)).get('greeting')).toBe('hello');
    await expect(logIn(bound, 'a-guess')).rejects.toThrow('WRONGPASS');
    await returnWholly(redis, bound.port);
  });

  test('Bindings share the data and have users of their own; unbind ends one of them with its connections.', async () => {
    const redis = await shop.buy('redis', 'small');
    const [first, second] = [await redis.bind(), await redis.bind()];
    expect(first.credentials['username']).not.toBe(second.credentials['username']);
    const [one, other] = [await logIn(first), await logIn(second)];
    await one.set('key', 'of the first');
    expect(await other.get('key')).toBe('of the first');
    await first.unbind();
    expect(await isCutOff(one)).toBe(true);
    await expect(logIn(first)).rejects.toThrow('WRONGPASS');
    expect(await other.get('key')).toBe('of the first');
    await redis.deprovision();
  });

  test('Users cannot administrate the server, nor see the logins of others.', async () => {
    const redis = await shop.buy('redis', 'small');
    const client = await logIn(await redis.bind());
    for (const command of [
      ['CONFIG', 'GET', '*'],
      ['CONFIG', 'SET', 'maxmemory', '0'],
      ['ACL', 'LIST'],
      ['ACL', 'SETUSER', 'default', 'nopass'],
      ['SHUTDOWN', 'NOSAVE'],
      ['REPLICAOF', 'NO', 'ONE'],
      ['CLIENT', 'KILL', 'TYPE', 'normal'],
      ['CLIENT', 'NO-EVICT', 'ON'],
      ['MODULE', 'LOAD', '/tmp/x.so'],
      ['DEBUG', 'SLEEP', '0'],
      ['MONITOR'],
      ['SAVE'],
      ['BGREWRITEAOF'],
      ...connecting,
    ]) {
      await expect(client.sendCommand(command)).rejects.toThrow(/NOPERM|command not allowed/);
    }
    await redis.deprovision();
  });

  test('Users have all that works on their own data, also what Redis calls dangerous.', async () => {
    const redis = await shop.buy('redis', 'small');
    const client = await logIn(await redis.bind());
    await client.rPush('list', ['b', 'a']);
    expect(await client.keys('*')).toEqual(['list']);
    expect(await client.info('clients')).toContain('connected_clients');
    expect(await client.sort('list', { ALPHA: true })).toEqual(['a', 'b']);
    expect(await client.sendCommand(['SORT_RO', 'list', 'ALPHA'])).toEqual(['a', 'b']);
    expect(await client.clientSetName('app')).toBe('OK');
    expect(await client.eval("return redis.call('llen', KEYS[1])", { keys: ['list'] })).toBe(2);
    expect(await client.flushDb()).toBe('OK');
    expect(await client.flushAll()).toBe('OK');
    await redis.deprovision();
  });

  test('Who asks for much and reads nothing is hung up on, and the server keeps its memory.', async () => {
    const redis = await shop.buy('redis', 'small');
    const bound = await redis.bind();
    const client = await logIn(bound);
    await client.set('large', 'x'.repeat(4_000_000));
    const { username = '', password = '', host } = bound.credentials;
    const greedy = connectSocket({ host: host ?? '', port: bound.port });
    greedy.pause();
    greedy.on('error', () => undefined);
    greedy.write(`AUTH ${username} ${password}\r\n${'GET large\r\n'.repeat(500)}`);
    await until('the greedy client was served and is hung up on', async () => {
      const served = await client.info('commandstats');
      return served.includes('cmdstat_get:') && (await info(client, 'connected_clients')) === '1';
    });
    expect(Number(await info(client, 'used_memory_peak'))).toBeLessThan(100 * 1024 * 1024);
    greedy.destroy();
    await redis.deprovision();
  });

  test('A client that sends the password alone gets in as its binding; unbind ends that, and leaves the others theirs.', async () => {
    const redis = await shop.buy('redis', 'small');
    const [first, second] = [await redis.bind(), await redis.bind()];
    const client = await byPassword(first);
    await client.set('key', 'of the first');
    expect(await (await byPassword(second)).get('key')).toBe('of the first');
    for (const command of [['CONFIG', 'GET', '*'], ['ACL', 'LIST'], ['CLIENT', 'LIST'], ...connecting]) {
      await expect(client.sendCommand(command)).rejects.toThrow(/NOPERM|command not allowed/);
    }
    await first.unbind();
    expect(await isCutOff(client)).toBe(true);
    await expect(byPassword(first)).rejects.toThrow('WRONGPASS');
    expect(await (await byPassword(second)).get('key')).toBe('of the first');
    await redis.act('restart');
    await expect(byPassword(first)).rejects.toThrow('WRONGPASS');
    await second.unbind();
    await expect(byPassword(second)).rejects.toThrow('WRONGPASS');
    await redis.deprovision();
  });

  test('An update gives users of before what they have now, and takes what they shall not have any more.', async () => {
    const redis = await shop.buy('redis', 'small');
    const bound = await redis.bind();
    await redis.act('stop');
    // As it was when the administrator was `default`, and users could have the server connect to others.
    const file = join(redis.directory.conf, 'users.acl');
    const [admin = '', user = ''] = readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => !line.startsWith('user default '));
    writeFileSync(
      file,
      `${admin.replace('user admin', 'user default')}\n${user.replace(/ -@admin .*$/, ' -@admin')}\n`,
    );
    expect((await redis.update('durable')).status).toBe(200);
    await redis.act('start');
    for (const client of [await logIn(bound), await byPassword(bound)]) {
      await expect(client.sendCommand(connecting[0] ?? [])).rejects.toThrow('NOPERM');
      expect(await client.keys('*')).toEqual([]);
    }
    const another = await redis.bind();
    expect(await (await byPassword(another)).ping()).toBe('PONG');
    await bound.unbind();
    await expect(byPassword(bound)).rejects.toThrow('WRONGPASS');
    await redis.deprovision();
  });

  test('Events of keys are published, and slow commands kept, as the parameters say.', async () => {
    const redis = await shop.buy('redis', 'small', { notify_keyspace_events: 'Ex', slowlog_slower_than: 0 });
    const bound = await redis.bind();
    const [listener, client] = [await logIn(bound), await logIn(bound)];
    const heard: string[] = [];
    await listener.subscribe('__keyevent@0__:expired', (key) => heard.push(key));
    await client.set('brief', 'x', { expiration: { type: 'PX', value: 1 } });
    await until('the key has expired', async () => {
      await client.get('brief');
      return heard.includes('brief');
    });
    expect(JSON.stringify(await client.sendCommand(['SLOWLOG', 'GET', '-1']))).toContain('brief');
    expect(JSON.stringify(await client.sendCommand(['ROLE']))).toContain('master');
    expect((await redis.update('small', { notify_keyspace_events: 'Ex\nport 1' })).status).toBe(400);
    await redis.deprovision();
  });

  test('An update changes plan and parameters; data, port and users stay, also through a restart.', async () => {
    const redis = await shop.buy('redis', 'small');
    const bound = await redis.bind();
    await (await logIn(bound)).set('key', 'kept');
    for (const [plan, parameters, memory, policy] of [
      ['durable', undefined, '128.00M', 'noeviction'],
      ['durable', { eviction: 'allkeys-lru' }, '128.00M', 'allkeys-lru'],
      ['small', { eviction: 'volatile-ttl' }, '32.00M', 'volatile-ttl'],
      ['durable', { eviction: 'noeviction' }, '128.00M', 'noeviction'],
    ] as const) {
      expect((await redis.update(plan, parameters)).status).toBe(200);
      const client = await logIn(bound);
      expect(await info(client, 'maxmemory_human')).toBe(memory);
      expect(await info(client, 'maxmemory_policy')).toBe(policy);
      expect(await info(client, 'aof_enabled')).toBe(plan === 'durable' ? '1' : '0');
      expect(await client.get('key')).toBe('kept');
    }
    const before = await info(await logIn(bound), 'run_id');
    await redis.act('restart');
    const client = await logIn(bound);
    expect(await info(client, 'run_id')).not.toBe(before);
    expect(await client.get('key')).toBe('kept');
    await redis.deprovision();
  });

  test('What was in memory survives a stop and a start.', async () => {
    const redis = await shop.buy('redis', 'small');
    const bound = await redis.bind();
    await (await logIn(bound)).set('key', 'kept');
    await redis.act('stop');
    await expect(logIn(bound)).rejects.toThrow('ECONNREFUSED');
    await redis.act('start');
    expect(await (await logIn(bound)).get('key')).toBe('kept');
    await redis.deprovision();
  });

  test('A durable one that is killed is started again by the monitor, with every write that was acknowledged.', async () => {
    const redis = await shop.buy('redis', 'durable');
    const bound = await redis.bind();
    const count = await writeUntilKilled(await logIn(bound), await pidOf(redis));
    expect(count).toBeGreaterThan(100);
    const last = () => logIn(bound).then((client) => client.get('count'));
    await until(
      'redis was restarted so many times',
      async () => Number(await last().catch(() => '0')) >= count,
    );
    const healing = (await redis.details()).operations[0];
    expect(healing).toMatchObject({ kind: 'restart', asked_by: { protocol: 'monitor' } });
    await redis.deprovision();
  });

  test('A durable one that has just been killed does not change to a plan that would forget its log.', async () => {
    const redis = await shop.buy('redis', 'durable');
    const bound = await redis.bind();
    await (await logIn(bound)).set('key', 'kept');
    process.kill(await pidOf(redis), 'SIGKILL');
    const { status, body } = await redis.update('small');
    expect({ status, body: body as unknown }).toMatchObject({
      status: 500,
      body: {
        description: expect.stringContaining('must read its log first') as string,
        instance_usable: true,
      },
    });
    expect(await (await logIn(bound)).get('key')).toBe('kept');
    expect((await redis.update('small')).status).toBe(200);
    expect(await (await logIn(bound)).get('key')).toBe('kept');
    await redis.deprovision();
  });

  test('S11: Its directories are private, and no command line shows a secret.', async () => {
    const watch = watchProcesses();
    const redis = await shop.buy('redis', 'small');
    const bindings = [await redis.bind(), await redis.bind()];
    await redis.update('durable');
    expectPrivate(redis);
    expectNoSecrets(watch.end(), redis, bindings);
    await redis.deprovision();
  });

  async function pidOf(redis: Bought): Promise<number> {
    let pid: number | undefined;
    await until('redis has a process', async () => (pid = (await redis.details()).units[0]?.pid));
    return pid ?? 0;
  }

  /** Counts as fast as it can, and kills the server meanwhile; gives the last count that was acknowledged. */
  async function writeUntilKilled(client: Client, pid: number): Promise<number> {
    let count = 0;
    try {
      for (;;) {
        await client.set('count', String(count + 1));
        count += 1;
        if (count === 500) process.kill(pid, 'SIGKILL');
      }
    } catch {
      return count;
    }
  }
});
