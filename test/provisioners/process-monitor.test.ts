import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { ServicePlan } from '../../src/broker/catalog.ts';
import type { JsonObject } from '../../src/broker/json.ts';
import type { Work } from '../../src/broker/provisioner.ts';
import { leftRunning, type UnitFacts } from '../../src/broker/units.ts';
import { processes } from '../../src/provisioners/process/index.ts';
import { aBinding } from '../broker/fixtures.ts';
import {
  address,
  carry,
  config,
  directoryOf,
  following,
  isThere,
  password,
  pidOf,
  plan,
  say,
} from './process/process-node.ts';
import { made, on, onProcessNode, testNode } from './process/services-on-node.ts';
import { until } from '../support/until.ts';

/** What is dead, hangs or answers wrongly, and what is done about it. */

onProcessNode();

async function inspect(of: Work): Promise<readonly UnitFacts[]> {
  return (await testNode.provisioner.units?.inspect(of)) ?? [];
}

/** A restart as the monitor asks for it. */
function heal(ready: Work, units: readonly string[], end: readonly string[] = []) {
  return carry(testNode.provisioner, 'restart', { ...ready, units, sparing: { end } });
}

async function kill(id: string, unit?: string): Promise<void> {
  const pid = pidOf(testNode, id, unit);
  process.kill(pid, 'SIGKILL');
  await until('the process is gone', () => !isThere(pid));
}

function portIn({ values }: Work): number {
  return Number((values['ports'] as { main?: number } | undefined)?.main);
}

async function aService(id: string, of = plan(), params: JsonObject = {}): Promise<Work> {
  const it = on(id, of, { params });
  return following(it, await carry(testNode.provisioner, 'provision', it));
}

describe('A bind keeps others from starting what is broken, so it does not wait for that:', () => {
  const exchanges = {
    bind: [{ port: 'main', send: 'USERADD {{binding.id}}\n', expect: 'OK' }],
    unbind: [{ port: 'main', send: 'USERDEL {{binding.id}}\n', expect: 'OK' }],
  };
  const bindable = plan({
    making: { config: { ...config, ...exchanges } },
    operating: { timeouts: { bind: 200, unbind: 200 } },
  });
  const bound = (ready: Work): Work => ({
    ...ready,
    binding: aBinding({ instanceId: ready.instance.id }),
    values: { ...ready.values, binding: { id: 'b1' } },
  });

  test('A bind of a service that is dead fails at once.', async () => {
    const ready = await aService('dead', bindable);
    const pid = pidOf(testNode, 'dead');
    process.kill(pid, 'SIGKILL');
    await until('the process is gone', () => !isThere(pid));
    await expect(carry(testNode.provisioner, 'bind', bound(ready))).rejects.toMatchObject({
      word: 'not-running',
      message: 'The service does not run at the moment. Try again later.',
    });
  });

  test('A bind of a service that hangs fails soon, and so does an unbind.', async () => {
    const ready = await aService('hanging', bindable);
    const pid = pidOf(testNode, 'hanging');
    process.kill(pid, 'SIGSTOP');
    const failure = {
      word: 'not-now',
      message: 'The service does not answer at the moment. Try again later.',
      hints: { detail: expect.stringMatching(/^At port 'main': it does not answer within 0\.2 s/) as string },
    };
    try {
      const deeds = ['bind', 'unbind'] as const;
      const outcomes = await Promise.allSettled(
        deeds.map((deed) => carry(testNode.provisioner, deed, bound(ready))),
      );
      expect(outcomes).toMatchObject(deeds.map(() => ({ reason: failure })));
    } finally {
      process.kill(pid, 'SIGCONT');
    }
  });
});

describe('The monitor, with two units of which one is dead', () => {
  const { server } = config.processes;
  const two = plan({
    making: { config: { ...config, processes: { server, job: { run: ['sleep', '60'] } } } },
  });

  test('The monitor, with two units of which one is dead, starts that one; the other one goes on, with its connections.', async () => {
    const ready = await aService('sibling', two);
    const before = pidOf(testNode, 'sibling');
    const client = connect({ host: address, port: portIn(ready) });
    await once(client, 'connect');
    await kill('sibling', 'job');
    expect((await heal(ready, ['job'])).did).toEqual(['start', 'check_up']);
    expect(isThere(pidOf(testNode, 'sibling', 'job'))).toBe(true);
    expect(pidOf(testNode, 'sibling')).toBe(before);
    client.write('PID\n');
    expect(String(await once(client, 'data')).trim()).toBe(String(before));
    client.destroy();
  });

  test('The monitor, with two units of which one is dead, also when all would have to be configured anew: nothing is written beneath what runs.', async () => {
    const ready = await aService('moved', two);
    const before = pidOf(testNode, 'moved');
    const moved = processes({
      node: { ...testNode.node, host: '127.2.2.2', bind: '127.2.2.2' },
      ports: testNode.ports,
    });
    await kill('moved', 'job');
    const { did } = await carry(moved, 'restart', { ...ready, units: ['job'], sparing: { end: [] } });
    expect(did).toEqual(['start', 'check_up']);
    expect(pidOf(testNode, 'moved')).toBe(before);
    await kill('moved', 'job');
    await kill('moved');
    const all = await carry(moved, 'restart', { ...ready, units: ['server', 'job'], sparing: { end: [] } });
    expect(all.did).toEqual(['configure', 'start', 'check_up']);
  });

  test('The monitor, with two units of which one is dead, spares what has come up again since it was seen dead, however it answers.', async () => {
    const ready = await aService('up-again', two);
    const [before, job] = [pidOf(testNode, 'up-again'), pidOf(testNode, 'up-again', 'job')];
    process.kill(before, 'SIGSTOP');
    expect((await heal(ready, ['server', 'job'])).did).toEqual([]);
    process.kill(before, 'SIGCONT');
    expect([pidOf(testNode, 'up-again'), pidOf(testNode, 'up-again', 'job')]).toEqual([before, job]);
  });

  test('The monitor, with two units of which one is dead, calls no hook that would stop all of it.', async () => {
    const stop = { run: [testNode.hook('stop-all', 'touch stopped')], env: {}, once: false };
    const ready = await aService('hooked-stop', {
      ...two,
      operating: { ...two.operating, timeouts: { stop: 300 }, hooks: { stop } },
    });
    const before = pidOf(testNode, 'hooked-stop');
    await heal(ready, ['job'], ['job']);
    expect(pidOf(testNode, 'hooked-stop')).toBe(before);
    expect(existsSync(join(directoryOf(testNode, 'hooked-stop').data, 'stopped'))).toBe(false);
  });
});

describe('What may be asked to end', () => {
  const short = { timeouts: { stop: 300 } };

  test('What may be asked to end ends by its own signal and is started again, with its data.', async () => {
    const ready = await aService('asked');
    await say(portIn(ready), 'SET kept');
    const before = pidOf(testNode, 'asked');
    expect((await heal(ready, ['server'], ['server'])).did).toEqual([
      'stop',
      'check_up',
      'start',
      'check_up',
    ]);
    expect(pidOf(testNode, 'asked')).not.toBe(before);
    expect(await say(portIn(ready), 'GET')).toBe('kept');
  });

  test('What may be asked to end is never killed: what does not end in time is left as it is, and that is said.', async () => {
    const ready = await aService('stubborn', plan({ operating: short }), { more: '"stubborn": true,' });
    const before = pidOf(testNode, 'stubborn');
    await expect(heal(ready, ['server'], ['server'])).rejects.toMatchObject({
      word: leftRunning,
      message: 'It did not end within 0.3 s after it was asked to, and is left as it is.',
      did: ['stop'],
    });
    expect(pidOf(testNode, 'stubborn')).toBe(before);
    expect(await say(portIn(ready), 'PID')).toBe(String(before));
  });

  test('What may be asked to end is not killed when it stands still (SIGSTOP) either.', async () => {
    const ready = await aService('still', plan({ operating: short }));
    const before = pidOf(testNode, 'still');
    process.kill(before, 'SIGSTOP');
    await expect(heal(ready, ['server'], ['server'])).rejects.toMatchObject({ word: leftRunning });
    expect(isThere(before)).toBe(true);
    process.kill(before, 'SIGCONT');
  });

  test('What may be asked to end is also what a dead unit has left behind.', async () => {
    const leaving = (then: string) =>
      plan({
        making: { config: { processes: { job: { run: ['sh', '-c', `${then} & exec sleep 60`] } } } },
        operating: short,
      });
    const yielding = await aService('leaving', leaving('sleep 61'));
    await kill('leaving', 'job');
    expect((await heal(yielding, ['job'])).did).toEqual(['stop', 'check_up', 'start', 'check_up']);
    const stubborn = await aService('left', leaving("sh -c 'trap : TERM; while :; do sleep 0.1; done'"));
    await kill('left', 'job');
    await expect(heal(stubborn, ['job'])).rejects.toMatchObject({ word: leftRunning });
  });
});

describe('What hooks start and check', () => {
  const hook = (name: string, text: string) => ({
    run: [testNode.hook(name, text)],
    env: {},
    once: false,
    timeout: 20_000,
  });
  // One that has ended may wait to be collected, and still be there for a signal.
  const lives = 'grep "^State:" "/proc/$(cat pid)/status" | grep -qv Z';
  const hooked = (name: string, check: string): ServicePlan =>
    plan({
      operating: {
        hooks: {
          start: hook(`start-${name}`, 'echo x >> started; setsid sleep 60 > /dev/null 2>&1 & echo $! > pid'),
          check_up: hook(`check-${name}`, check),
          stop: hook(`stop-${name}`, 'kill "$(cat pid)"'),
        },
      },
    });
  const pidIn = (id: string) => Number(readFileSync(join(directoryOf(testNode, id).data, 'pid'), 'utf8'));

  test('What hooks start and check is dead only when nothing of it lives; it is started then, and not stopped before.', async () => {
    const ready = await aService('by-hook', hooked('by-hook', `test ! -e wrong && ${lives}`));
    const { data } = directoryOf(testNode, 'by-hook');
    writeFileSync(join(data, 'wrong'), '');
    expect(await inspect(ready)).toMatchObject([{ alive: true, answer: 'wrong' }]);
    process.kill(pidIn('by-hook'), 'SIGKILL');
    await until('the process is gone', () => !isThere(pidIn('by-hook')));
    expect(await inspect(ready)).toMatchObject([{ alive: false, answer: 'unasked' }]);
    rmSync(join(data, 'wrong'));
    expect((await heal(ready, ['server'])).did).toEqual(['start', 'check_up']);
    expect((await heal(ready, ['server'])).did).toEqual([]);
    expect(readFileSync(join(data, 'started'), 'utf8')).toBe('x\nx\n');
  });

  test('What hooks start and check is asked to end by its hook where that may be.', async () => {
    const ready = await aService('by-hook-asked', hooked('by-hook-asked', lives));
    const before = pidIn('by-hook-asked');
    const { did } = await heal(ready, ['server'], ['server']);
    expect(did).toEqual(['stop', 'check_up', 'start', 'check_up']);
    expect([isThere(before), isThere(pidIn('by-hook-asked'))]).toEqual([false, true]);
  });

  test.each([
    ['says no', 'test ! -e bad', 'wrong'],
    ['fails itself', 'test ! -e bad || exit 4', 'wrong'],
    ['asks to be asked later', 'test ! -e bad || exit 75', 'silent'],
    ['does not end', 'test ! -e bad || sleep 60', 'silent'],
  ])('A unit that lives is alive when its check_up hook %s.', async (what, check, answer) => {
    const id = `checked-${what.replaceAll(' ', '-')}`;
    const check_up = { ...hook(id, check), timeout: check.includes('sleep') ? 1000 : 20_000 };
    const ready = await aService(id, plan({ operating: { hooks: { check_up } } }));
    writeFileSync(join(directoryOf(testNode, id).data, 'bad'), '');
    expect(await inspect(ready)).toMatchObject([{ alive: true, answer }]);
  });
});

describe('The reason for a wrong answer', () => {
  /** What the server answers to `SAY`, in place of the right word. */
  const saying = (says: string) =>
    aService(
      `saying-${made.size}-${says.length}`,
      plan({
        making: {
          config: {
            ...config,
            processes: {
              server: { ...config.processes.server, ready: { port: 'main', send: 'SAY\n', expect: 'O' } },
            },
          },
        },
        operating: { timeouts: { monitor: 5000 } },
      }),
      { says },
    );

  async function reasonFor(ready: Work, expected: string): Promise<string | undefined> {
    const { state } = directoryOf(testNode, ready.instance.id);
    const file = join(state, 'configured.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"expect":"O"', `"expect":"${expected}"`));
    return (await inspect(ready))[0]?.reason;
  }

  test('The reason for a wrong answer is what it said, on one line and short.', async () => {
    const ready = await saying('-ERR too\u0000 many\r connections,\u001b[31m OK?');
    expect(await reasonFor(ready, 'PONG')).toBe(
      'its answer is not the expected one: "-ERR too many connections, [31m OK?"',
    );
    const long = await saying(`${'a'.repeat(500)}O${'b'.repeat(500)}`);
    const reason = (await reasonFor(long, 'PONG')) ?? '';
    expect(reason).toMatch(/: "a{100} \.\.\. b{100}"$/);
  });

  test('The reason for a wrong answer holds no secret, also where it would be cut within one.', async () => {
    const ready = await saying(`${'O'.repeat(95)}${password}`);
    const reason = (await reasonFor(ready, 'PONG')) ?? '';
    expect(reason).toContain('O***');
    expect(reason).not.toContain(password.slice(0, 5));
  });
});
