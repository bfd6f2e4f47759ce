import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hook } from '../../src/broker/catalog.ts';
import type { Work } from '../../src/broker/provisioner.ts';
import { leftRunning } from '../../src/broker/units.ts';
import { isAlive } from '../../src/system/process-identity.ts';
import { readStat } from '../../src/system/proc.ts';
import { anInstance } from '../broker/fixtures.ts';
import { finish } from './contract.ts';
import {
  carry,
  dataOf,
  deprovision,
  launchLeft,
  names,
  numbers,
  onEachNode,
  provision,
  provisioner,
  ran,
  scripts,
  update,
  workWith,
} from './command-scripts.ts';

onEachNode();

describe('An instance', () => {
  test('An instance keeps the hooks it was made with until it is updated.', async () => {
    const work = workWith({ hooks: scripts({ bind: `echo '{"version": 1}'` }), bindingId: 'b1' });
    await provision(work);
    scripts({ bind: `echo '{"version": 2}'` });
    const bound = { facts: { outputs: { bind: { version: 1 } } } };
    expect(await finish(provisioner, 'bind', work)).toEqual(bound);
    await update(work);
    expect(await finish(provisioner, 'bind', work)).toEqual({ facts: { outputs: { bind: { version: 2 } } } });
  });

  test('An instance does a `once` step once, also over updates and restarts.', async () => {
    const hooks = scripts({ configure: `echo '{"first": true}'`, start: '', stop: '' });
    const once = { ...hooks, configure: { ...hooks['configure'], once: true } as Hook };
    const work = workWith({ hooks: once });
    await provision(work);
    const { made } = await update(work);
    await carry((it) => provisioner.units?.restart?.(it), work);
    expect(made?.facts).toMatchObject({ outputs: { configure: { first: true } } });
    expect(ran()).toEqual(['configure', 'start', 'stop', 'start']);
  });

  test('An instance has the ports it asks for as long as it is there.', async () => {
    const work = workWith({ config: { ports: ['main', 'admin'] } });
    const { made } = await provision(work);
    expect(made?.facts).toMatchObject({ ports: { main: 20_000, admin: 20_001 } });
    await expect(
      provision(workWith({ config: { ports: ['a', 'b'] }, instanceId: 'i2' })),
    ).rejects.toMatchObject({
      word: 'no-ports',
    });
    numbers.owners.delete(20_002);
    await deprovision(work);
    expect(numbers.owners.size).toBe(0);
  });

  test('An instance is stopped by halt when stop was not enough.', async () => {
    const up = (then: string) =>
      scripts({ start: 'touch up', stop: then, halt: 'rm -f up', check_up: 'test -f up' });
    const work = workWith({ hooks: up('true') });
    await provision(work);
    const stop = () => carry((it) => provisioner.units?.stop?.(it), work);
    expect(names((await stop()).timeline)).toEqual(['stop', 'halt']);
    expect(ran().slice(-3)).toEqual(['stop', 'check_up', 'halt']);
    await stop();
    expect(ran().slice(-2)).toEqual(['stop', 'check_up']);
  });

  test('An instance is stopped by halt when nobody can say whether it is up.', async () => {
    const work = workWith({ hooks: scripts({ stop: 'true', halt: 'true', check_up: 'exit 7' }) });
    await carry((it) => provisioner.provision(it), work).catch(() => undefined);
    await carry((it) => provisioner.units?.stop?.(it), work);
    expect(ran().slice(-3)).toEqual(['stop', 'check_up', 'halt']);
  });

  test('An instance gives its ports back when it is purged, and nothing of its hooks runs on.', async () => {
    const work = workWith({ config: { ports: ['main'] } });
    await provision(work);
    const hook = await launchLeft();
    const [thing] = (await provisioner.inventory?.()) ?? [];
    if (thing) await provisioner.purge?.(thing);
    expect(numbers.owners.size).toBe(0);
    expect(isAlive(hook)).toBe(false);
    expect(await provisioner.inventory?.()).toEqual([]);
  });

  test('An instance has the time of its step where the offering sets one.', async () => {
    const hooks = scripts({ configure: 'sleep 60' });
    const work = workWith({ hooks, operating: { timeouts: { configure: 200 } } });
    await expect(provision(work)).rejects.toMatchObject({
      message: 'The step configure was ended after its limit of 0.2 s.',
    });
  });

  test('An instance is made when it is up, and not before.', async () => {
    const check = `echo x >> looks; echo not yet >&2; [ "$(wc -l < looks)" -ge 4 ]`;
    const { timeline, pauses } = await provision(workWith({ hooks: scripts({ check_up: check }) }));
    expect(timeline).toEqual([{ step: 'init', tries: 1 }, { step: 'check_up' }]);
    expect(pauses).toEqual([0, 50, 100, 200]);
  });

  test('An instance has failed when it does not come up in time.', async () => {
    const hooks = scripts({ check_up: 'echo no socket >&2; exit 1' });
    const work = workWith({ hooks, operating: { timeouts: { check_up: 200 } } });
    await expect(finish(provisioner, 'provision', work)).rejects.toMatchObject({
      word: 'not-up',
      message: 'It did not come up within 0.2 s: no socket',
    });
  });
});

describe('A restart by the monitor', () => {
  const hooks = {
    start: 'touch up',
    stop: 'test -f stays || rm -f up',
    halt: 'rm -f up',
    check_up: 'test -f up',
  };
  const heal = (work: Work, end: readonly string[]) =>
    carry((it) => provisioner.units?.restart?.(it), { ...work, units: ['cache'], sparing: { end } });

  test('A restart by the monitor only starts what is dead.', async () => {
    const work = workWith({ hooks: scripts(hooks) });
    await provision(work);
    rmSync(join(dataOf(), 'up'));
    expect(names((await heal(work, [])).timeline)).toEqual(['start', 'check_up']);
  });

  test('A restart by the monitor asks to end what may be asked, and never calls halt: what stays up is left as it is.', async () => {
    const work = workWith({ hooks: scripts(hooks), operating: { timeouts: { stop: 1000 } } });
    await provision(work);
    expect(names((await heal(work, ['cache'])).timeline)).toEqual(['stop', 'stopped', 'start', 'check_up']);
    writeFileSync(join(dataOf(), 'stays'), '');
    await expect(heal(work, ['cache'])).rejects.toMatchObject({
      word: leftRunning,
      message: 'It did not end within 1 s after it was asked to, and is left as it is.',
    });
    expect(ran()).not.toContain('halt');
  });
});

describe('Instances over the limit of their disk', () => {
  const hooks = {
    start: 'touch up',
    stop: 'test -f stays || rm -f up',
    halt: 'rm -f up stays',
    check_up: 'test -f up',
  };
  const of = (disk: number) =>
    workWith({ hooks: scripts(hooks), operating: { limits: { disk: disk * 1024 * 1024 } } });
  const heal = (work: Work) =>
    carry((it) => provisioner.units?.restart?.(it), { ...work, units: ['cache'], sparing: { end: [] } });
  const fill = () => writeFileSync(join(dataOf(), 'big'), Buffer.alloc(3_000_000, 'x'));
  const refusal = {
    word: 'over-limit',
    message:
      'The instance takes 3 MB on the disk, and its plan allows 2 MB. Choose a larger plan, or try again when it takes less.',
  };

  test('Instances over the limit of their disk are told by a look, end by their hooks, and are not started.', async () => {
    const work = of(2);
    await provision(work);
    fill();
    writeFileSync(join(dataOf(), 'stays'), '');
    expect(await provisioner.units?.inspect(work)).toMatchObject([
      { alive: true, exceeds: expect.stringMatching(/^it takes 3 MB on the disk, and its plan allows 2 MB/) },
    ]);
    await expect(heal(work)).rejects.toMatchObject(refusal);
    expect(existsSync(join(dataOf(), 'up'))).toBe(false);
    expect(ran().slice(-4)).toContain('halt');
    await expect(carry((it) => provisioner.units?.start?.(it), work)).rejects.toMatchObject(refusal);
    await expect(update(work)).rejects.toMatchObject(refusal);
    expect(existsSync(join(dataOf(), 'up'))).toBe(false);
    await carry((it) => provisioner.units?.start?.(it), of(4));
    expect(existsSync(join(dataOf(), 'up'))).toBe(true);
  });

  test('Instances over the limit of their disk that take less by the time of their restart are not ended.', async () => {
    const work = of(4);
    await provision(work);
    fill();
    expect(names((await heal(work)).timeline)).toEqual(['start', 'check_up']);
    expect(ran()).not.toContain('stop');
  });
});

describe('A look', () => {
  const look = async (work: Work) => (await provisioner.units?.inspect(work)) ?? [];

  // What runs is known by its instance, on all of the machine: other tests have some of other names.
  const instanceId = `looked-at-${process.pid}`;

  async function made(hooks: Readonly<Record<string, string>>, rest: Partial<Work> = {}): Promise<Work> {
    const work = { ...workWith({ hooks: scripts(hooks), instanceId }), ...rest };
    await provision(workWith({ instanceId }));
    await update(work);
    return work;
  }

  test.each([
    ['up', 'exit 0', { alive: true, answer: 'ready' }],
    [
      'down',
      'echo no socket >&2; exit 1',
      { alive: false, reason: 'its check_up says that it is not up: no socket' },
    ],
    [
      'unsure when it fails itself',
      'echo disk full >&2; exit 2',
      { alive: true, answer: 'wrong', reason: 'the step check_up failed (exit code 2): disk full' },
    ],
    [
      'silent',
      'sleep 60',
      { alive: true, answer: 'silent', reason: 'its check_up did not answer within 2.5 s' },
    ],
    ['busy', 'exit 75', { alive: true, answer: 'silent', reason: 'its check_up asks to be called later' }],
  ])('A look finds it %s as check_up says: %s.', async (_word, text, facts) => {
    expect(await look(await made({ check_up: text }))).toEqual([
      expect.objectContaining({ unit: 'cache', ...facts }),
    ]);
  });

  test('A look asks check_up, and monitor when that is well.', async () => {
    const work = await made({ check_up: 'test ! -f down', monitor: 'echo slow >&2; exit 1' });
    expect(await look(work)).toMatchObject([
      { alive: true, failed: 'its monitor says that it is not up: slow' },
    ]);
    writeFileSync(join(dataOf(instanceId), 'down'), '');
    expect(await look(work)).toMatchObject([{ alive: false, reason: 'its check_up says that it is not up' }]);
  });

  test('A look finds it alive as long as a process lives that was started for it, whatever check_up says.', async () => {
    const work = await made({
      start: 'setsid sleep 60 > /dev/null 2>&1 & echo $! > pid',
      check_up: 'test ! -f full || { echo full >&2; exit 1; }',
    });
    await carry((it) => provisioner.units?.start?.(it), work);
    const pid = Number(readFileSync(join(dataOf(instanceId), 'pid'), 'utf8'));
    writeFileSync(join(dataOf(instanceId), 'full'), '');
    const reason = 'its check_up says that it is not up: full';
    expect(await look(work)).toMatchObject([{ alive: true, answer: 'wrong', reason }]);
    const atRest = { ...work, instance: anInstance({ id: instanceId, stopped: true }) };
    expect(await look(atRest)).toMatchObject([{ alive: false }]);
    process.kill(pid, 'SIGKILL');
    while (readStat(pid)?.dead === false) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await look(work)).toMatchObject([{ alive: false, reason }]);
  });

  test('A look without hooks finds it as it shall be.', async () => {
    const work = await made({});
    expect(await look(work)).toMatchObject([{ alive: true, answer: 'ready' }]);
    expect(await look({ ...work, instance: anInstance({ id: instanceId, stopped: true }) })).toMatchObject([
      { alive: false },
    ]);
  });

  test('A look sees that its directory is gone.', async () => {
    expect(await look(workWith({}))).toMatchObject([{ alive: false, fault: 'its directory is gone' }]);
  });

  test('A look into the log finds what hooks have written.', async () => {
    const hooks = scripts({ configure: 'echo one >&2; echo two >&2' });
    const work = workWith({ hooks });
    await provision(work);
    const log = await provisioner.units?.log?.(work, { lines: 1 });
    expect(log).toEqual([{ unit: 'cache', text: expect.stringMatching(/^\S+Z configure: two\n$/) }]);
    expect(await provisioner.units?.log?.(work, { lines: 9, unit: 'other' })).toEqual([]);
  });
});
