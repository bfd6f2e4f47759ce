import { chmodSync, cpSync } from 'node:fs';
import { join } from 'node:path';
import { type ChannelModel, connect } from 'amqplib';
import { readCommandLine } from '../../src/system/proc.ts';
import { listLaunched } from '../../src/provisioners/process/units/launched.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { operatorPassword } from '../support/whole-broker.ts';
import { expectNoSecrets, expectPrivate, processesOf, returnWholly } from './privacy.ts';
import { watchProcesses } from '../support/process-list.ts';
import { type Bought, type Bound, describeOffering, openShop, type Shop } from './shop.ts';

/** RabbitMQ, the real one, used with the credentials of bindings. */
describeOffering('rabbitmq', () => {
  const opened: ChannelModel[] = [];
  afterEach(async () => {
    await Promise.allSettled(opened.splice(0).map((connection) => connection.close()));
  });

  describe('of today', () => {
    let shop: Shop;
    beforeAll(async () => {
      shop = await openShop();
    });
    afterAll(() => shop.close());

    test('A20, S11: A user for each binding, who sends what the other receives; no epmd that a neighbour could end.', async () => {
      const watch = watchProcesses();
      const rabbit = await shop.buy('rabbitmq', 'small');
      const bindings = await Promise.all([rabbit.bind(), rabbit.bind()]);
      const [first, second] = bindings;
      expectNoSecrets(watch.end(), rabbit, bindings);
      expectPrivate(rabbit);
      expect(listLaunched(rabbit.directory).map(({ unit }) => unit)).toEqual(['rabbitmq']);
      expect(processesOf(rabbit).filter(({ pid }) => readCommandLine(pid)[0]?.endsWith('epmd'))).toEqual([]);

      const sending = await byParts(first);
      const receiving = await logIn(second.credentials['uri'] ?? '');
      await send(sending, 'one tea');
      expect(await receive(receiving)).toBe('one tea');
      await expect(byParts(first, 'a-guess')).rejects.toThrow('ACCESS_REFUSED');

      const closed = new Promise((resolve) => sending.once('close', resolve));
      await first.unbind();
      await closed;
      await expect(byParts(first)).rejects.toThrow('ACCESS_REFUSED');
      await send(receiving, 'another tea');
      await rabbit.act('stop');
      expect(processesOf(rabbit)).toEqual([]);
      await rabbit.act('start');
      expect(await receive(await byParts(second))).toBe('another tea');
      await returnWholly(rabbit, second.port);
    });

    test('A binding sees by HTTP its own vhost, messages and connections, changes no others, and nothing after its unbind.', async () => {
      const rabbit = await shop.buy('rabbitmq', 'small');
      const [first, second] = [await rabbit.bind(), await rabbit.bind()];
      expect(first.credentials['vhost']).toBe('app');
      await send(await byParts(first), 'one tea');
      await byParts(second);
      const ask = asking(first);
      expect(await ask('GET', 'whoami')).toMatchObject({ name: first.credentials['username'] });
      expect(await ask('GET', 'vhosts')).toEqual([expect.objectContaining({ name: 'app' })]);
      expect(await ask('GET', 'queues/app')).toEqual([expect.objectContaining({ name: 'orders' })]);
      await until('its connection is counted', async () => {
        const connections = (await ask('GET', 'connections')) as readonly { readonly user: string }[];
        expect(connections.map(({ user }) => user)).not.toContain(second.credentials['username']);
        return connections.length > 0;
      });
      for (const [method, path, body] of [
        ['GET', 'users'],
        ['GET', 'definitions'],
        ['PUT', 'vhosts/more', {}],
        ['PUT', `users/${second.credentials['username']}`, { password: 'mine', tags: 'administrator' }],
        ['PUT', `users/${first.credentials['username']}`, { password: 'mine', tags: 'administrator' }],
        ['PUT', 'policies/app/p', { pattern: '.*', definition: { 'max-length': 1 } }],
        ['PUT', 'user-limits/admin/max-connections', { value: 0 }],
      ] as const) {
        expect([path, await ask(method, path, body)]).toEqual([path, 401]);
      }
      const instance = await shop.broker.ask('get', `/v2/service_instances/${rabbit.id}`);
      const { dashboard_url: dashboard = '' } = instance.body as { readonly dashboard_url?: string };
      for (const page of [dashboard, first.credentials['dashboard_url'] ?? '']) {
        expect(await (await fetch(page)).text()).toContain('RabbitMQ Management');
      }
      await first.unbind();
      expect(await ask('GET', 'whoami')).toBe(401);
      expect(await asking(second)('GET', 'whoami')).toMatchObject({ tags: ['management'] });
      await rabbit.deprovision();
    });
  });

  test('An instance from before keeps its vhost and its bindings, is unbound by the hooks of today, and gets its HTTP API by an upgrade.', async () => {
    const folder = scratchDirectory('catalog');
    cpSync(join(import.meta.dirname, 'before'), folder, { recursive: true });
    chmodSync(folder, 0o755);
    const shop = await openShop({ CATALOG_DIR: folder });
    try {
      const rabbit = await shop.buy('rabbitmq', 'small');
      const [first, second] = [await rabbit.bind(), await rabbit.bind()];
      await send(await byParts(first), 'one tea');
      for (const part of ['rabbitmq.yaml', 'hooks/rabbitmq']) {
        cpSync(join('catalog', part), join(folder, part), { recursive: true, force: true });
      }
      await until('the catalog is read again', async () => {
        const { body } = await shop.operator('instances?drifted=true');
        return JSON.stringify(body).includes(rabbit.id);
      });
      const other = await rabbit.bind();
      await first.unbind();
      await expect(byParts(first)).rejects.toThrow('ACCESS_REFUSED');
      expect(other.credentials).not.toHaveProperty('http_api_uri');

      await upgrade(shop, rabbit);
      const third = await rabbit.bind();
      expect(third.credentials['vhost']).toBe('/');
      expect(await receive(await logIn(third.credentials['uri'] ?? ''))).toBe('one tea');
      expect(await asking(third)('GET', 'queues/%2F')).toEqual([expect.objectContaining({ name: 'orders' })]);
      await byParts(second);
      await second.unbind();
      await expect(byParts(second)).rejects.toThrow('ACCESS_REFUSED');
      await byParts(other);
      await rabbit.deprovision();
    } finally {
      await shop.close();
    }
  });

  async function upgrade(shop: Shop, rabbit: Bought): Promise<void> {
    const login = `operator:${operatorPassword}`;
    const path = `/operator/instances/${rabbit.id}/actions/upgrade`;
    const { status } = await shop.broker.ask('post', path, { login, body: {} });
    expect([200, 202]).toContain(status);
    await until(
      'it is upgraded',
      async () => {
        const { state, operations } = await rabbit.details();
        const [last] = operations;
        if (last?.kind === 'update' && last.state === 'failed') throw new Error(JSON.stringify(last));
        return state === 'ready' && last?.kind === 'update' && last.state === 'succeeded';
      },
      // A whole RabbitMQ ends and starts.
      240_000,
    );
  }

  async function logIn(url: Parameters<typeof connect>[0]): Promise<ChannelModel> {
    const connection = await connect(url);
    connection.on('error', () => undefined);
    opened.push(connection);
    return connection;
  }

  function byParts({ credentials, port }: Bound, password = credentials['password'] ?? '') {
    const { host: hostname = '', username = '', vhost = '' } = credentials;
    return logIn({ protocol: 'amqp', hostname, port, username, password, vhost });
  }
});

/** Asks by the HTTP API with the login of a binding. @returns the body, or the status of a refusal */
function asking({ credentials }: Bound) {
  const { http_api_uri: uri = '', username, password } = credentials;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const api = uri.replace(/\/\/.*@/, '//');
  return async (method: string, path: string, body?: object): Promise<unknown> => {
    const answer = await fetch(`${api}${path}`, {
      method,
      headers: { authorization },
      body: body && JSON.stringify(body),
    });
    return answer.ok ? answer.json() : answer.status;
  };
}

async function send(connection: ChannelModel, text: string): Promise<void> {
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue('orders', { durable: true });
  channel.sendToQueue('orders', Buffer.from(text), { persistent: true });
  await channel.waitForConfirms();
}

/** Takes one message, and no more. */
async function receive(connection: ChannelModel): Promise<string> {
  const channel = await connection.createChannel();
  await channel.prefetch(1);
  const { promise, resolve } = Promise.withResolvers<string>();
  await channel.consume('orders', (message) => {
    if (!message) return;
    channel.ack(message);
    resolve(message.content.toString());
  });
  const text = await promise;
  await channel.close();
  return text;
}
