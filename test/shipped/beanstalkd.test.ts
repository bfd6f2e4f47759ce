import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { expectPrivate, returnWholly } from './privacy.ts';
import { type Bound, describeOffering, openShop, type Shop } from './shop.ts';

/** Beanstalkd, used by beaneater of Ruby, as Debian packages it. */

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

describeOffering('beanstalkd', () => {
  const ruby = hasBeaneater();
  const title = (text: string) => (ruby ? text : `${text} (skipped: Ruby has no beaneater)`);
  const withRuby = ruby ? test : test.skip;

  withRuby(
    title('beaneater of Ruby puts jobs into beanstalkd for one binding, and works them off for another.'),
    async () => {
      const queue = await shop.buy('beanstalkd', 'small');
      const [first, second] = [await queue.bind(), await queue.bind()];
      await run(first, `tubes['goods'].put('tea', pri: 5); tubes['goods'].put('milk', pri: 1)`);
      const worked = await run(
        second,
        `2.times { job = tubes['goods'].reserve(30); puts job.body; job.delete }; puts tubes['goods'].stats.current_jobs_ready`,
      );
      expect(worked).toBe('milk\ntea\n0\n');
      expectPrivate(queue);
      await returnWholly(queue, second.port);
    },
  );

  withRuby(
    title('Jobs survive a kill, a restart and another plan, with the size that is asked for.'),
    async () => {
      const queue = await shop.buy('beanstalkd', 'small', { largest_job: 1024 });
      const bound = await queue.bind();
      await run(bound, `tubes['goods'].put('tea')`);
      await expect(run(bound, `tubes['goods'].put('x' * 2000)`)).rejects.toThrow(/too.?big/i);
      await queue.act('restart');
      expect(await run(bound, `puts tubes['goods'].peek(:ready).body`)).toBe('tea\n');
      expect((await queue.update('medium', { largest_job: 4096 })).status).toBe(200);
      await run(bound, `tubes['goods'].put('x' * 2000)`);
      expect(await run(bound, `puts tubes['goods'].stats.current_jobs_ready`)).toBe('2\n');
      await queue.deprovision();
    },
  );

  withRuby(title('There is no login, as the description says: an unbind takes nothing back.'), async () => {
    const queue = await shop.buy('beanstalkd', 'small');
    const bound = await queue.bind();
    expect(Object.keys(bound.credentials)).not.toContain('password');
    await bound.unbind();
    await run(bound, `tubes['goods'].put('tea')`);
    const { body } = await shop.broker.ask('get', '/v2/catalog');
    const { services } = body as { services: readonly { name: string; description: string }[] };
    expect(services.find(({ name }) => name === 'beanstalkd')?.description).toContain('without a login');
    await queue.deprovision();
  });
});

/** Runs this as a program that has found its queue in VCAP_SERVICES, and gives what it prints. */
async function run({ credentials }: Bound, program: string): Promise<string> {
  const beginning = `
    require 'json'
    require 'beaneater'
    found = JSON.parse(ENV['VCAP_SERVICES']).values.flatten.find { |one| one['tags'].include?('beanstalk') }['credentials']
    tubes = Beaneater.new("#{found['hostname']}:#{found['port']}").tubes`;
  const services = { beanstalkd: [{ label: 'beanstalkd', tags: ['beanstalk'], credentials }] };
  const { stdout } = await promisify(execFile)('ruby', ['-e', `${beginning}\n${program}`], {
    env: { PATH: process.env['PATH'], VCAP_SERVICES: JSON.stringify(services) },
    timeout: 60_000,
  });
  return stdout;
}

function hasBeaneater(): boolean {
  try {
    execFileSync('ruby', ['-e', "require 'beaneater'"], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
