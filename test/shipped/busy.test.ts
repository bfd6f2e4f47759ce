import { once } from 'node:events';
import { cpSync, appendFileSync, chmodSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { type Connection, createConnection } from 'mysql2/promise';
import { type Bought, type Bound, describeOffering, type Details, openShop, type Shop } from './shop.ts';
import { until } from '../support/until.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

/** The real programs, full or busy: the monitor says so and does nothing, for they live. */

let shop: Shop;
let catalog: string;
const sockets: Socket[] = [];
beforeAll(async () => {
  catalog = scratchDirectory('busy');
  chmodSync(catalog, 0o755);
  cpSync('catalog', catalog, { recursive: true });
  for (const name of ['nats', 'redis', 'mariadb'])
    appendFileSync(join(catalog, `${name}.yaml`), '\nmonitor: { every: 1s }\n');
  shop = await openShop({ CATALOG_DIR: catalog });
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(async () => {
  await shop.close();
});

type Unit = Details['units'][number] & { readonly reason?: string };

async function unitOf(it: Bought): Promise<Unit> {
  const [unit] = (await it.details()).units;
  if (!unit) throw new Error('There is no unit.');
  return unit;
}

/** Waits until it is seen in trouble, and then for as long as several restarts would have taken. */
async function expectLeftInPeace(it: Bought, pid: number | undefined, reason: RegExp): Promise<void> {
  await until(
    'the unit fails for this reason',
    async () => {
      const unit = await unitOf(it);
      return unit.status === 'error' && reason.test(unit.reason ?? '');
    },
    30_000,
  );
  await new Promise((resolve) => setTimeout(resolve, 4000));
  expect((await unitOf(it)).pid).toBe(pid);
  const { operations } = await it.details();
  expect(operations.filter(({ asked_by }) => asked_by.protocol === 'monitor')).toEqual([]);
}

async function pidOf(it: Bought): Promise<number> {
  let pid: number | undefined;
  await until('the unit has a process', async () => (pid = (await unitOf(it)).pid));
  return pid ?? 0;
}

describeOffering('nats', () => {
  test('A nats that has all the connections it may have goes on with them.', async () => {
    const nats = await shop.buy('nats', 'small');
    const bound = await nats.bind();
    const pid = await pidOf(nats);
    const clients = await Promise.all(Array.from({ length: 100 }, () => logIn(bound)));
    await expectLeftInPeace(nats, pid, /maximum connections exceeded/);
    expect(clients.filter((client) => client.destroyed)).toEqual([]);
    for (const client of clients) client.destroy();
    await until('nats is started', async () => (await unitOf(nats)).status === 'started');
    expect((await unitOf(nats)).pid).toBe(pid);
    await nats.deprovision();
  });

  /** A client that is logged in, and answers the server's questions whether it is there. */
  async function logIn({ credentials, port }: Bound): Promise<Socket> {
    const { host = '', username: user, password: pass } = credentials;
    const socket = connect({ host, port });
    sockets.push(socket);
    socket.on('error', () => undefined).setEncoding('utf8');
    socket.write(`CONNECT ${JSON.stringify({ user, pass, verbose: false })}\r\nPING\r\n`);
    let said = '';
    while (!said.includes('PONG')) said += String(await once(socket, 'data'));
    socket.on('data', (text) => String(text).includes('PING') && socket.write('PONG\r\n'));
    return socket;
  }
});

describeOffering('redis', () => {
  test('A redis that is busy with a script of its users keeps its process and what is in its memory.', async () => {
    const redis = await shop.buy('redis', 'small');
    const { credentials } = await redis.bind();
    const pid = await pidOf(redis);
    const options = { url: credentials['uri'] ?? '', socket: { reconnectStrategy: false } } as const;
    const [client, killer] = [createClient(options), createClient(options)];
    for (const one of [client, killer]) await one.on('error', () => undefined).connect();
    await client.set('key', 'kept');
    const script = client.eval('while true do end').catch((error: unknown) => String(error));
    await expectLeftInPeace(redis, pid, /BUSY Redis is busy running a script/);
    expect((await unitOf(redis)).reason).not.toContain(credentials['password']);
    await killer.sendCommand(['SCRIPT', 'KILL']);
    expect(await script).toContain('killed');
    expect(await client.get('key')).toBe('kept');
    await until('redis is started', async () => (await unitOf(redis)).status === 'started');
    expect((await unitOf(redis)).pid).toBe(pid);
    for (const one of [client, killer]) one.destroy();
    await redis.deprovision();
  });
});

describeOffering('mariadb', () => {
  test('A mariadb that has all the connections it may have goes on with them.', async () => {
    const mariadb = await shop.buy('mariadb', 'small');
    const bound = await mariadb.bind();
    const pid = await pidOf(mariadb);
    // One binding has a part of the connections; two have them all.
    const clients = [
      ...(await fill(bound, /max_user_connections/)),
      ...(await fill(await mariadb.bind(), full)),
    ];
    await clients[0]?.query('create table kept as select 42 as answer');
    // One place is kept for the administrator: who takes it and says nothing has it for ten seconds.
    const holding = setInterval(() => hold(bound), 2000);
    hold(bound);
    try {
      await expectLeftInPeace(mariadb, pid, full);
    } finally {
      clearInterval(holding);
    }
    const [rows] = (await clients[1]?.query('select answer from kept')) ?? [];
    expect(rows).toEqual([{ answer: 42 }]);
    await Promise.all(clients.map((client) => client.end()));
    for (const socket of sockets.splice(0)) socket.destroy();
    await until('mariadb is started', async () => (await unitOf(mariadb)).status === 'started');
    expect((await unitOf(mariadb)).pid).toBe(pid);
    await mariadb.deprovision();
  });

  const full = /Too many connections/;

  function hold({ credentials, port }: Bound): void {
    sockets.push(connect({ host: credentials['host'] ?? '', port }).on('error', () => undefined));
  }

  async function fill({ credentials, port }: Bound, end: RegExp): Promise<readonly Connection[]> {
    const { host = '', username = '', password = '', name = '' } = credentials;
    const clients: Connection[] = [];
    try {
      for (;;) {
        const login = { host, port, user: username, password, database: name };
        clients.push(await createConnection(login));
      }
    } catch (error) {
      expect(String(error)).toMatch(end);
      return clients;
    }
  }
});
