import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { operatorPassword } from '../support/whole-broker.ts';
import { type Bought, type Bound, describeOffering, openShop, type Shop } from './shop.ts';

/** What shipped offerings declare that operators can have done with an instance. */

const login = `operator:${operatorPassword}`;
let shop: Shop;
beforeAll(async () => {
  shop = await openShop({ ASYNC_PATIENCE: '30s' });
});
afterAll(() => shop.close());

async function ask({ id }: Bought, action: string, parameters?: object) {
  const path = `/operator/instances/${id}/actions/${action}`;
  const { status, body } = await shop.broker.ask('post', path, { login, body: { parameters } });
  return { status, ...(body as { description?: string; field?: string }) };
}

describeOffering('redis', () => {
  async function connect({ credentials, port }: Bound, database = 0) {
    const { host, username, password } = credentials;
    const client = createClient({
      username,
      password,
      database,
      socket: { host, port, reconnectStrategy: false },
    } as Parameters<typeof createClient>[0]);
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  test('Operators flush a redis, all of it or one database, and close the connections of its applications.', async () => {
    const redis = await shop.buy('redis', 'small');
    const bound = await redis.bind();
    const [first, second] = [await connect(bound), await connect(bound, 1)];
    const keys = () => Promise.all([first.dbSize(), second.dbSize()]);
    await first.set('key', 'value');
    await second.set('key', 'value');
    expect(await ask(redis, 'flush', { database: 1 })).toEqual({ status: 200 });
    expect(await keys()).toEqual([1, 0]);
    expect(await ask(redis, 'flush')).toEqual({ status: 200 });
    expect(await keys()).toEqual([0, 0]);
    expect(await ask(redis, 'flush', { database: 99, all: true })).toMatchObject({
      status: 400,
      field: 'parameters',
      description: expect.stringMatching(/'database'.*'all'|'all'.*'database'/),
    });
    expect(await ask(redis, 'burn')).toMatchObject({ status: 404 });
    expect(await ask(redis, 'disconnect')).toEqual({ status: 200 });
    await expect(first.ping()).rejects.toThrow();
    const again = await connect(bound);
    expect(await again.ping()).toBe('PONG');
    for (const client of [first, second, again]) client.destroy();
    expect((await redis.details()).operations.slice(0, 3)).toMatchObject([
      { kind: 'action', action: 'disconnect', timeline: [{ step: 'disconnect' }] },
      { kind: 'action', action: 'flush' },
      { kind: 'action', action: 'flush' },
    ]);
    await redis.deprovision();
  });

  test.each(['small', 'secure'])(
    "The administrator's password of a redis of the plan %s is exchanged, and everything goes on with the new one, also after a restart.",
    async (plan) => {
      const redis = await shop.buy('redis', plan);
      const file = join(redis.directory.conf, 'users.acl');
      const admin = () =>
        readFileSync(file, 'utf8')
          .split('\n')
          .find((line) => line.startsWith('user admin'));
      const before = await redis.bind();
      const former = admin();
      expect(await ask(redis, 'renew-admin')).toEqual({ status: 200 });
      const between = admin();
      expect(between).not.toBe(former);
      const bound = await redis.bind();
      expect(await ask(redis, 'flush')).toEqual({ status: 200 });
      await redis.act('restart');
      expect(await ask(redis, 'renew-admin')).toEqual({ status: 200 });
      expect(admin()).not.toBe(between);
      expect((await redis.details()).status).toBe('started');
      for (const binding of [before, bound]) await binding.unbind();
      await redis.deprovision();
    },
  );

  test('A redis that speaks TLS alone is flushed as well.', async () => {
    const redis = await shop.buy('redis', 'secure');
    expect(await ask(redis, 'flush')).toEqual({ status: 200 });
    await redis.deprovision();
  });
});
