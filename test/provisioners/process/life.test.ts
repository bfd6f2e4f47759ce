import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { Failure } from '../../../src/broker/errors.ts';
import type { Json, JsonObject } from '../../../src/broker/json.ts';
import type { Work } from '../../../src/broker/provisioner.ts';
import {
  address,
  aProcessNode,
  carry,
  config,
  directoryOf,
  following,
  isThere,
  look,
  password,
  pidOf,
  plan,
  portOf,
  say,
  startsOf,
  work,
} from './process-node.ts';
import { failureOf, made, on, onProcessNode, testNode } from './services-on-node.ts';
import { until } from '../../support/until.ts';

/** What the process provisioner does for one instance, with real processes. */

onProcessNode();

const provision = (it: Work) => carry(testNode.provisioner, 'provision', it);
const deprovision = (it: Work) => carry(testNode.provisioner, 'deprovision', it);

function withServer(changes: JsonObject): JsonObject {
  return { ...config, processes: { server: { ...config.processes.server, ...changes } } };
}

async function listen(port: number): Promise<Server> {
  const server = createServer((socket) => socket.resume().end('stranger\n'));
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  return server;
}

async function close(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

test('A4: A provision is init, prepare, configure, check_up, start and check_up, and the service answers.', async () => {
  const done = await provision(on('a4'));
  expect(done.did).toEqual(['init', 'prepare', 'configure', 'check_up', 'start', 'check_up']);
  expect(await say(portOf(done), 'SAY')).toBe('hello');
  expect(done.made.facts).toMatchObject({ node: { host: address, bind: address }, outputs: {} });
});

test('What was configured and is gone before the start, as after a loss of power, is made again.', async () => {
  const it = on('powerless');
  const { provisioner } = testNode;
  let losses = 0;
  const losing = async (now: Work) => {
    const step = await provisioner.provision(now);
    if (step.did?.step === 'check_up' && losses++ === 0)
      rmSync(join(directoryOf(testNode, 'powerless').state, 'configured.json'));
    return step;
  };
  const done = await carry({ ...provisioner, provision: losing }, 'provision', it);
  const making = ['prepare', 'configure', 'check_up'];
  expect(done.did).toEqual(['init', ...making, ...making, 'start', 'check_up']);
  expect(await say(portOf(done), 'SAY')).toBe('hello');
});

test('A provision is done when the service is ready, long before its limit.', async () => {
  const started = performance.now();
  await provision(on('quick'));
  expect(performance.now() - started).toBeLessThan(20_000);
});

test('A5: What a broken attempt has left running is found by identity and stopped; one process runs in the end.', async () => {
  await provision(on('a5'));
  const before = pidOf(testNode, 'a5');
  const done = await provision(on('a5'));
  expect(done.did).toEqual([
    'init',
    'prepare',
    'configure',
    'check_up',
    'stop',
    'check_up',
    'start',
    'check_up',
  ]);
  expect(isThere(before)).toBe(false);
  expect(startsOf(testNode, 'a5')).toEqual([String(before), String(pidOf(testNode, 'a5'))]);
});

test('A6: A process that ignores SIGTERM is killed after the time limit of stop.', async () => {
  const stubborn = plan({ operating: { timeouts: { stop: 200 } } });
  const it = on('a6', stubborn, { params: { more: '"stubborn": true,' } });
  await provision(it);
  const pid = pidOf(testNode, 'a6');
  const { did } = await deprovision(it);
  expect(did).toEqual(['stop', 'check_up', 'halt', 'check_up', 'remove', 'release']);
  expect(isThere(pid)).toBe(false);
});

test('A6: A process that stands still (SIGSTOP) is ended too.', async () => {
  const it = on('a6-stopped', plan({ operating: { timeouts: { stop: 200 } } }));
  await provision(it);
  const pid = pidOf(testNode, 'a6-stopped');
  process.kill(pid, 'SIGSTOP');
  expect((await deprovision(it)).did).toContain('halt');
  expect(isThere(pid)).toBe(false);
});

test('A program that has left its session is ended with its instance, and no other.', async () => {
  const [one, other] = ['daemon', 'other-daemon'].map((id) =>
    on(id, plan(), { params: { more: '"daemon": true,' } }),
  );
  if (!one || !other) throw new Error('There are two.');
  for (const it of [one, other]) await provision(it);
  const daemonOf = (id: string) =>
    Number(readFileSync(join(directoryOf(testNode, id).data, 'daemon'), 'utf8'));
  const [gone, left] = [daemonOf('daemon'), daemonOf('other-daemon')];
  await deprovision(one);
  expect([isThere(gone), isThere(left)]).toEqual([false, true]);
  await deprovision(other);
  expect(isThere(left)).toBe(false);
});

test('A7: A foreign program on the old port of an instance is not touched.', async () => {
  const it = on('a7');
  const done = await provision(it);
  process.kill(pidOf(testNode, 'a7'), 'SIGKILL');
  await until('the process is gone', () => !isThere(pidOf(testNode, 'a7')));
  const stranger = await listen(portOf(done));
  await carry(testNode.provisioner, 'stop', following(it, done));
  const restarted = await failureOf(carry(testNode.provisioner, 'restart', following(it, done)));
  expect(restarted.message).toContain(`uses the network port ${portOf(done)}`);
  expect((await deprovision(it)).did).toEqual(['remove', 'release']);
  expect(await say(portOf(done), 'PING')).toBe('stranger');
  await close(stranger);
});

test('A7: A process that has got the pid of an ended one is not touched.', async () => {
  const it = on('a7-pid');
  await provision(it);
  const file = join(directoryOf(testNode, 'a7-pid').state, 'unit-server.json');
  const identity = JSON.parse(readFileSync(file, 'utf8')) as { pid: number };
  process.kill(identity.pid, 'SIGKILL');
  await until('the process is gone', () => !isThere(identity.pid));
  writeFileSync(file, JSON.stringify({ ...identity, pid: process.pid }));
  expect((await deprovision(it)).did).toEqual(['remove', 'release']);
});

test('A8: What never gets ready fails in time, with the tail of its log, and is removed with process and port.', async () => {
  const mute = plan({ operating: { timeouts: { start: 3000 } } });
  const it = on('a8', mute, { params: { more: '"mute": true,' } });
  const started = performance.now();
  const failed = await failureOf(provision(it));
  expect(performance.now() - started).toBeLessThan(20_000);
  expect(failed).toBeInstanceOf(Failure);
  expect(failed.message).toBe('The service did not get ready within 3 seconds.');
  expect(failed.hints.detail).toContain(`begins with ${password}`);
  expect(failed.did).toEqual(['init', 'prepare', 'configure', 'check_up', 'start']);
  const pid = pidOf(testNode, 'a8');
  expect((await deprovision(it)).did).toEqual(['stop', 'check_up', 'remove', 'release']);
  expect(isThere(pid)).toBe(false);
  expect(existsSync(directoryOf(testNode, 'a8').base)).toBe(false);
});

test('A8: What ends while it is started fails at once, and the operator sees what it said.', async () => {
  const started = performance.now();
  const failed = await failureOf(provision(on('dies', plan(), { params: { more: '"dies": true,' } })));
  expect(performance.now() - started).toBeLessThan(20_000);
  expect(failed.message).toBe('The service ended before it was ready.');
  expect(failed.hints.detail).toContain('the disk is made of cheese');
});

test('A program that is not there fails with its name.', async () => {
  // As the plan fills them in.
  const making = { config: { ...config, needs: ['{{plan.tool}}'] } };
  const missing = plan({ making, operating: { executables: ['no-such-program'] } });
  const failed = await failureOf(provision(on('missing', missing)));
  expect(failed.message).toBe('The program no-such-program, which the service needs, is not there.');
  const wrong = plan({ making: { config: withServer({ run: ['no-such-program'] }) } });
  expect((await failureOf(provision(on('wrong', wrong)))).message).toContain('could not be started');
});

test('A9: A hook that asks for another try gets it, and the tries are counted.', async () => {
  const script = 'echo >> tries; test $(wc -l < tries) -ge 3 || exit 75';
  const hooks = { configure: aHook(testNode.hook('again', script)) };
  const { deeds } = await provision(on('a9', plan({ operating: { hooks } })));
  expect(deeds).toContainEqual({ step: 'configure', tries: 3 });
});

test('A9, P10: A hook that fails ends the provision at once; the way back is the reverse of what was done.', async () => {
  const hooks = {
    prepare: aHook(testNode.hook('ok', 'exit 0')),
    configure: aHook(testNode.hook('fails', 'echo "no luck" >&2; exit 1')),
    remove: aHook(testNode.hook('remove', 'test -e "$PWD"')),
  };
  const it = on('a9-fails', plan({ operating: { hooks } }));
  const failed = await failureOf(provision(it));
  expect(failed.message).toContain('no luck');
  expect(failed.did).toEqual(['init', 'prepare']);
  expect((await deprovision(it)).did).toEqual(['remove', 'release']);
});

test('What the hooks of a broken attempt have told is there for the hook that removes.', async () => {
  const note = join(testNode.node.directory, 'told');
  writeFileSync(note, '', { mode: 0o666 });
  chmodSync(note, 0o666);
  const remove = aHook(testNode.hook('told-remove', `echo "$1" > ${note}`));
  const hooks = {
    prepare: aHook(testNode.hook('told-prepare', `echo '{"id": 7}'`)),
    remove: { ...remove, run: [...remove.run, 'remove-{{outputs.prepare.id}}'] },
  };
  const it = on('told', plan({ operating: { hooks } }));
  let memo: Json | undefined;
  for (const _step of ['init', 'prepare']) {
    const step = await testNode.provisioner.provision({ ...it, ...(memo === undefined ? {} : { memo }) });
    memo = 'again' in step ? step.again.memo : undefined;
  }
  await deprovision({ ...it, ...(memo === undefined ? {} : { trace: memo }) });
  made.delete('told');
  expect(readFileSync(note, 'utf8')).toBe('remove-7\n');
});

test('A10: A hook that is marked `once` runs once per instance, also when all is done again.', async () => {
  const hooks = {
    configure: { ...aHook(testNode.hook('once', 'echo >> once; echo \'{"key": "first"}\'')), once: true },
  };
  const it = on('a10', plan({ operating: { hooks } }));
  const first = await provision(it);
  expect(first.made.facts).toMatchObject({ outputs: { configure: { key: 'first' } } });
  expect((await provision(it)).made).toEqual(first.made);
  const next = following(it, first, {
    plan: plan({ operating: { hooks }, making: { config: withServer({ env: { A: '2' } }) } }),
  });
  expect((await carry(testNode.provisioner, 'update', next)).made).toEqual(first.made);
  expect(readFileSync(join(directoryOf(testNode, 'a10').data, 'once'), 'utf8')).toBe('\n');
});

test('A15: Units start in their order, each when the one before is ready, and stop in reverse.', async () => {
  const unit = (name: string, order: number) => ({
    run: [
      '/bin/sh',
      '-c',
      `trap 'echo stop ${name} >> deeds; exit' TERM; echo start ${name} >> deeds; sleep 0.1; touch ${name}; while :; do sleep 0.02; done`,
    ],
    ready: { command: ['test', '-e', name] },
    order,
  });
  const ordered = plan({
    making: { config: { processes: { broker: unit('broker', 2), names: unit('names', 1) } } },
  });
  const it = on('a15', ordered);
  const done = await provision(it);
  const deeds = join(directoryOf(testNode, 'a15').data, 'deeds');
  await carry(testNode.provisioner, 'stop', following(it, done));
  expect(readFileSync(deeds, 'utf8').trim().split('\n')).toEqual([
    'start names',
    'start broker',
    'stop broker',
    'stop names',
  ]);
});

test('S3: Many at once get ports of their own; who finds none gets a sentence, and nothing is half made.', async () => {
  const small = await aProcessNode({ first: 22_000, last: 22_004 });
  const all = Array.from({ length: 8 }, (_, index) => work(`s3-${index}`));
  const results = await Promise.allSettled(all.map((each) => carry(small.provisioner, 'provision', each)));
  const ports = results.flatMap((result) => (result.status === 'fulfilled' ? [portOf(result.value)] : []));
  expect(new Set(ports).size).toBe(5);
  for (const result of results) {
    if (result.status === 'rejected')
      expect((result.reason as Failure).message).toContain('no free network port');
  }
  for (const each of all) await carry(small.provisioner, 'deprovision', each);
  expect(await small.provisioner.inventory?.()).toEqual([]);
  await small.close();
});

test('S5: A stranger on a port of the pool keeps it, and the instance gets another.', async () => {
  const small = await aProcessNode({ first: 22_010, last: 22_011 });
  const stranger = await listen(22_010);
  const done = await carry(small.provisioner, 'provision', work('s5'));
  expect(portOf(done)).toBe(22_011);
  // The stranger's port is left alone, so there is none for a second one.
  const failed = await failureOf(carry(small.provisioner, 'provision', work('s5-other')));
  expect(failed.message).toContain('no free network port');
  for (const id of ['s5-other', 's5']) await carry(small.provisioner, 'deprovision', work(id));
  expect(await say(22_010, 'PING')).toBe('stranger');
  await close(stranger);
  await small.close();
});

test('S5: A stranger that comes between the configuring and the start makes it configure once more.', async () => {
  const it = on('late-stranger');
  let stranger: Server | undefined;
  const provisionStep = async (now: Work) => {
    const step = await testNode.provisioner.provision(now);
    if (step.did?.step === 'configure' && !stranger) {
      const kept = ('again' in step ? step.again.memo : {}) as { kept: { ports: { main: number } } };
      stranger = await listen(kept.kept.ports.main);
    }
    return step;
  };
  const done = await carry({ ...testNode.provisioner, provision: provisionStep }, 'provision', it);
  expect(done.did).toEqual([
    'init',
    'prepare',
    'configure',
    'check_up',
    'configure',
    'check_up',
    'start',
    'check_up',
  ]);
  expect(await say(portOf(done), 'PING')).toBe('PONG');
  if (stranger) await close(stranger);
});

test('S11: Directories and files are private, and no secret can be seen in the process list.', async () => {
  await provision(on('s11'));
  const { base, conf, data, state } = directoryOf(testNode, 's11');
  const modes = [conf, data, state, join(conf, 'server.json')].map((path) => statSync(path).mode & 0o777);
  expect(modes).toEqual([0o700, 0o700, 0o700, 0o600]);
  expect(statSync(base).mode & 0o007).toBe(0);
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const lines = pids.map((pid) => readOrNothing(`/proc/${pid}/cmdline`));
  expect(lines.some((line) => line.includes('server.json'))).toBe(true);
  expect(lines.filter((line) => line.includes(password))).toEqual([]);
});

test("A unit has its declared environment and nothing of the broker's own.", async () => {
  const done = await provision(on('env'));
  const env = JSON.parse(await say(portOf(done), 'ENV')) as Record<string, string>;
  expect(Object.keys(env).toSorted()).toEqual([
    'COLOUR',
    'HOME',
    'LANG',
    'PATH',
    'PURVEYOR_INSTANCE',
    'PURVEYOR_UNIT',
  ]);
  expect(env).toMatchObject({ COLOUR: 'blue', PURVEYOR_INSTANCE: 'env', PURVEYOR_UNIT: 'server' });
});

test('A deprovision of what is broken in any way removes it: without its process, its files, its state.', async () => {
  const it = on('broken');
  const done = await provision(it);
  process.kill(pidOf(testNode, 'broken'), 'SIGKILL');
  const { conf, state } = directoryOf(testNode, 'broken');
  for (const name of readdirSync(conf)) writeFileSync(join(conf, name), 'nonsense');
  for (const name of readdirSync(state)) writeFileSync(join(state, name), '');
  await deprovision(following(it, done));
  expect(await testNode.provisioner.inventory?.()).toEqual([]);
});

test('S14: A purge ends what runs in a directory that nobody stands for, and gives its ports back.', async () => {
  const small = await aProcessNode({ first: 22_020, last: 22_020 });
  await carry(small.provisioner, 'provision', work('orphan'));
  const pid = pidOf(small, 'orphan');
  const [thing] = (await small.provisioner.inventory?.()) ?? [];
  expect(thing?.instanceId).toBe('orphan');
  if (thing) await small.provisioner.purge?.(thing);
  expect(isThere(pid)).toBe(false);
  expect(await small.provisioner.inventory?.()).toEqual([]);
  await small.close();
});

test('An instance looks started, with its address and pid.', async () => {
  const it = on('seen');
  const done = await provision(it);
  expect(await look(testNode, following(it, done))).toEqual({
    unit: 'server',
    alive: true,
    answer: 'ready',
    pid: pidOf(testNode, 'seen'),
    address: `${address}:${portOf(done)}`,
  });
});

function aHook(run: string) {
  return { run: [run], env: {}, once: false, timeout: 30_000 };
}

function readOrNothing(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
