import { createClient } from '@redis/client';
import { aTestEngine, docker, type TestEngine } from '../support/container-engine.ts';
import { describeContainers } from '../provisioners/container/container-node.ts';
import { makeDue, servedBy } from './served-certificate.ts';
import { openShop, type Shop } from './shop.ts';
import { until } from '../support/until.ts';

/** What catalog/containers sells, at a real engine, used with the credentials of bindings. */

describeContainers('A Redis in a container', () => {
  let engine: TestEngine;
  let shop: Shop;
  beforeAll(async () => {
    engine = await aTestEngine();
    docker(engine.socket, 'tag', engine.image, 'redis:7');
    shop = await openShop({
      CATALOG_DIR: 'catalog/containers',
      NODE_CONTAINERS: engine.socket,
      NODE_IMAGES: 'redis:7',
    });
  });
  afterAll(async () => {
    await shop.close();
    await engine.close();
  });

  test('A Redis in a container is sold, used by each binding, updated with its users, and leaves nothing.', async () => {
    const bought = await shop.buy('redis-container', 'small', { eviction: 'allkeys-lru' });
    const bound = await bought.bind();
    const { host, username, password } = bound.credentials;
    const open = async () => {
      const socket = { host, port: bound.port, reconnectStrategy: false } as const;
      const client = createClient({ username, password, socket });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    };
    const client = await open();
    await client.set('greeting', 'hello');
    await expect(client.sendCommand(['CONFIG', 'GET', 'dir'])).rejects.toThrow('NOPERM');
    client.destroy();
    const [container = ''] = docker(engine.socket, 'ps', '-q').split('\n');
    const user = docker(engine.socket, 'inspect', '--format', '{{.Config.User}}', container).trim();
    // A user of its own, as instances of processes have.
    expect(user).toMatch(/^[1-9]\d{4,}:[1-9]\d{4,}$/);

    const changed = await bought.update('large');
    expect([changed.status, changed.text]).toEqual([200, expect.anything()]);
    const again = await open();
    expect(await again.get('greeting')).toBe('hello');
    again.destroy();
    const seen = await until('its unit is looked at again', async () => {
      const details = await bought.details();
      return details.units.some(({ unit }) => unit === 'redis') && details;
    });
    expect(seen.state).toBe('ready');

    await bound.unbind();
    await expect(open()).rejects.toThrow('WRONGPASS');
    await bought.deprovision();
    expect(docker(engine.socket, 'ps', '-aq')).toBe('');
    expect((await shop.operator('orphans')).body).toMatchObject({ orphans: [] });
  });

  test('A Redis in a container speaks TLS alone where its plan says so, and goes on when its certificate is replaced.', async () => {
    const bought = await shop.buy('redis-container', 'secure');
    const bound = await bought.bind();
    const { username, password, uri, ca } = bound.credentials;
    expect(uri).toMatch(/^rediss:/);
    const open = async (url: string) => {
      const client = createClient({ url, username, password, socket: { ca, reconnectStrategy: false } });
      client.on('error', () => undefined);
      await client.connect();
      return client;
    };
    const client = await open(String(uri));
    await client.set('greeting', 'hello');
    await expect(open(String(uri).replace('rediss:', 'redis:'))).rejects.toThrow();
    const first = await servedBy(bound);
    const running = () => docker(engine.socket, 'ps', '-q', '--no-trunc');
    const before = running();
    makeDue(bought);
    await until(
      'another certificate is served',
      async () => ![first, undefined].includes(await servedBy(bound)),
      60_000,
    );
    expect(running()).toBe(before);
    expect(await client.get('greeting')).toBe('hello');
    client.destroy();
    await bought.deprovision();
  });
});
