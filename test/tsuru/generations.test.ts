import {
  generationA,
  generationB,
  generationC,
  generationD,
  type App,
  type Client,
  type Env,
  type Generation,
} from './clients.ts';
import { hasRedis, talksToRedis } from './redis-client.ts';
import { talksToEcho, tsuruCloud } from './tsuru-cloud.ts';
import { until } from '../support/until.ts';

/** Each age of tsuru lives a whole life with the services, from the first call to the last. */

const cloud = tsuruCloud({ CATALOG_DIR: 'catalog' }, { brokers: 2 });

const generations: readonly (readonly [name: string, Generation])[] = [
  ['the tsuru of the tutorial (2013)', generationA],
  ['the tsuru of autumn 2014', generationB],
  ['the tsuru of 2015 to 2023', generationC],
  ['the tsuru of today', generationD],
];

interface Service {
  readonly name: string;
  readonly plan?: string;
  readonly talks: (env: Env) => Promise<boolean>;
}

const services: readonly Service[] = [
  { name: 'echo', talks: talksToEcho },
  ...(hasRedis ? [{ name: 'redis', plan: 'small', talks: talksToRedis }] : []),
];

const [first, second]: readonly [App, App] = [
  { name: 'blog', host: 'blog.example.com', units: ['10.0.0.1', '10.0.0.2', '10.0.0.2'] },
  { name: 'shop', host: 'shop.example.com', units: ['10.0.0.7'] },
];

async function up(client: Client, name: string): Promise<void> {
  const isUp = async () => {
    const status = await client.status(name);
    if (status === 'down') throw new Error(`${name} is down.`);
    return status === 'up';
  };
  await until(`${name} is up`, isUp);
}

describe.each(services)('With the service $name', ({ name: service, plan, talks }) => {
  test.each(generations)(
    'T20: %s creates, binds, unbinds and destroys.',
    async (label, generation) => {
      const client = generation(cloud.ask, service);
      const instance = `i-${label.replaceAll(/\W/g, '')}`;
      expect(await client.plans()).toContain(plan ?? 'large');
      await client.create(instance, plan === undefined ? {} : { plan });
      await up(client, instance);
      await client.update?.(instance, {
        description: 'what it is for',
        ...(plan === undefined ? {} : { plan }),
      });

      const env = await client.bind(instance, first);
      expect(await talks(env)).toBe(true);
      const other = await client.bind(instance, second);
      expect(other).not.toEqual(env);
      expect(await talks(other)).toBe(true);

      await client.addUnit(instance, first, '10.0.0.3');
      await client.removeUnit(instance, first, '10.0.0.2');
      expect(await talks(env)).toBe(true);
      const told = await client.info(instance);
      expect(told.find(({ label: one }) => one === 'Bound to')?.value).toMatch(/blog.*, shop/);
      expect(JSON.stringify(told)).not.toContain(env[`${service.toUpperCase()}_URI`]);

      // All that had a unit but those on 10.0.0.3 and, where there were two of them, on 10.0.0.2.
      await client.unbind(instance, { ...first, units: ['10.0.0.1', '10.0.0.2', '10.0.0.3'] });
      expect(await talks(env)).toBe(false);
      expect(await talks(other)).toBe(true);
      await client.unbind(instance, second);
      expect(await talks(other)).toBe(false);

      if (client.bindJob && client.unbindJob) {
        const job = await client.bindJob(instance, 'nightly');
        expect(await talks(job)).toBe(true);
        await client.unbindJob(instance, 'nightly');
        expect(await talks(job)).toBe(false);
      }
      await client.destroy(instance);
      await expect(client.status(instance)).rejects.toThrow(/^404/);
      expect(await client.info(instance)).toEqual([]);
    },
    60_000,
  );
});

if (!hasRedis) test.skip('With a process service (skipped: redis-server is not installed)', () => undefined);
