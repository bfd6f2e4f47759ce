import { jest } from '@jest/globals';
import type { Work } from '../../src/broker/provisioner.ts';
import { until } from '../node/a-node.ts';
import { aBinding } from '../broker/fixtures.ts';
import {
  aProcessWorld,
  carry,
  config,
  following,
  isThere,
  pidOf,
  plan,
  type ProcessWorld,
  work,
} from './process/world.ts';

jest.setTimeout(30_000);

/** What is dead, hangs or answers wrongly, and what is done about it. */

let world: ProcessWorld;
const made = new Map<string, Work>();
beforeAll(async () => {
  world = await aProcessWorld();
});
afterEach(async () => {
  for (const each of made.values()) await carry(world.provisioner, 'deprovision', each);
  made.clear();
});
afterAll(() => world.close());

async function aService(id: string, of = plan()): Promise<Work> {
  const it = work(id, of);
  made.set(id, it);
  return following(it, await carry(world.provisioner, 'provision', it));
}

describe('A bind keeps others from starting what is broken, so it does not wait for that:', () => {
  const talks = {
    bind: [{ port: 'main', send: 'USERADD {{binding.id}}\n', expect: 'OK' }],
    unbind: [{ port: 'main', send: 'USERDEL {{binding.id}}\n', expect: 'OK' }],
  };
  const bindable = plan({
    making: { config: { ...config, ...talks } },
    operating: { timeouts: { bind: 200, unbind: 200 } },
  });
  const bound = (ready: Work): Work => ({
    ...ready,
    binding: aBinding({ instanceId: ready.instance.id }),
    values: { ...ready.values, binding: { id: 'b1' } },
  });

  test('of a service that is dead it fails at once.', async () => {
    const ready = await aService('dead', bindable);
    const pid = pidOf(world, 'dead');
    process.kill(pid, 'SIGKILL');
    await until(() => !isThere(pid));
    await expect(carry(world.provisioner, 'bind', bound(ready))).rejects.toMatchObject({
      word: 'not-running',
      message: 'The service does not run at the moment. Try again later.',
    });
  });

  test('of a service that hangs it fails soon, and so does an unbind.', async () => {
    const ready = await aService('hanging', bindable);
    const pid = pidOf(world, 'hanging');
    process.kill(pid, 'SIGSTOP');
    const failure = {
      word: 'not-now',
      message: 'The service does not answer at the moment. Try again later.',
      hints: { detail: expect.stringMatching(/^At port 'main': it does not answer within 0\.2 s/) as string },
    };
    try {
      const deeds = ['bind', 'unbind'] as const;
      const outcomes = await Promise.allSettled(
        deeds.map((deed) => carry(world.provisioner, deed, bound(ready))),
      );
      expect(outcomes).toMatchObject(deeds.map(() => ({ reason: failure })));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});
