import {
  existsSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../src/broker/errors.ts';
import type { UnitControl, Work } from '../../../src/broker/provisioner.ts';
import { processes } from '../../../src/provisioners/process/index.ts';
import { anInstance } from '../../broker/fixtures.ts';
import {
  carry,
  config,
  directoryOf,
  type Done,
  following,
  isThere,
  look,
  pidOf,
  plan,
  portOf,
  say,
  startsOf,
  work,
} from './process-node.ts';
import { on, onProcessNode, testNode } from './services-on-node.ts';
import { until } from '../../support/until.ts';

/** Looking at what runs, and operating it. */

/** Others have no account to guard against. */
const asRoot = process.getuid?.() === 0 ? test : test.skip;

let units: UnitControl;
onProcessNode();
beforeAll(() => {
  units = testNode.provisioner.units ?? { inspect: async () => [] };
});

async function aService(id: string, of = plan(), given: Parameters<typeof work>[2] = {}) {
  const it = on(id, of, given);
  const done: Done = await carry(testNode.provisioner, 'provision', it);
  return { done, ready: following(it, done), port: portOf(done) };
}

const unruled = (run: readonly string[], more = {}) =>
  plan({
    making: { config: { processes: { worker: { run, ...more } } } },
    operating: { timeouts: { start: 500 } },
  });

test('P2: A stopped unit has no process; started again it has its data and its port.', async () => {
  const { ready, port } = await aService('p6');
  await say(port, 'SET kept');
  const stopped = await carry(testNode.provisioner, 'stop', ready);
  expect(stopped.did).toEqual(['stop', 'check_up']);
  expect(await look(testNode, ready)).toMatchObject({ alive: false, answer: 'unasked' });
  expect((await carry(testNode.provisioner, 'stop', ready)).did).toEqual([]);
  const started = await carry(testNode.provisioner, 'start', ready);
  expect(started.did).toEqual(['start', 'check_up']);
  expect(await say(port, 'GET')).toBe('kept');
  const pid = pidOf(testNode, 'p6');
  await carry(testNode.provisioner, 'start', ready);
  expect(pidOf(testNode, 'p6')).toBe(pid);
});

test('P6: A restart changes the pid and keeps data and port.', async () => {
  const { ready, port } = await aService('restarted');
  await say(port, 'SET kept');
  const before = pidOf(testNode, 'restarted');
  expect((await carry(testNode.provisioner, 'restart', ready)).did).toEqual([
    'stop',
    'check_up',
    'start',
    'check_up',
  ]);
  expect(pidOf(testNode, 'restarted')).not.toBe(before);
  expect(await say(port, 'GET')).toBe('kept');
});

test('A unit that was killed is not alive, and the last line of its log says how it was.', async () => {
  const { ready } = await aService('killed');
  process.kill(pidOf(testNode, 'killed'), 'SIGKILL');
  await until('the process is gone', () => !isThere(pidOf(testNode, 'killed')));
  const seen = await look(testNode, ready);
  expect(seen).toMatchObject({ alive: false, answer: 'unasked' });
  expect(seen.reason).toContain('the last line of its log: begins with');
  expect((await carry(testNode.provisioner, 'restart', ready)).did).toEqual(['start', 'check_up']);
});

test('P4: A process that stands still is alive and silent, although a connection to it succeeds.', async () => {
  const still = plan({ operating: { timeouts: { monitor: 300 } } });
  const { ready } = await aService('still', still);
  process.kill(pidOf(testNode, 'still'), 'SIGSTOP');
  const started = performance.now();
  expect(await look(testNode, ready)).toMatchObject({ alive: true, answer: 'silent' });
  expect(performance.now() - started).toBeLessThan(20_000);
  process.kill(pidOf(testNode, 'still'), 'SIGCONT');
});

test('P2: Bound to another address than the advertised one it is silent.', async () => {
  const { ready } = await aService('elsewhere');
  const elsewhere = processes({ node: { ...testNode.node, host: '127.3.3.3' }, ports: testNode.ports });
  const [seen] = (await elsewhere.units?.inspect(ready)) ?? [];
  expect(seen).toMatchObject({ alive: true, answer: 'silent', reason: 'nobody listens at its port' });
});

test('P2: A wrong answer is a wrong answer.', async () => {
  const { ready } = await aService('wrong');
  const { state } = directoryOf(testNode, 'wrong');
  const file = join(state, 'configured.json');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace('"PONG"', '"PANG"'));
  expect(await look(testNode, ready)).toMatchObject({ alive: true, answer: 'wrong' });
});

test('P2: Without its directory the node cannot judge, and the unit is listed all the same.', async () => {
  const { ready } = await aService('gone');
  const { base } = directoryOf(testNode, 'gone');
  renameSync(base, `${base}-away`);
  expect(await look(testNode, ready)).toMatchObject({
    alive: false,
    fault: 'its directory on the node is gone',
  });
  renameSync(`${base}-away`, base);
});

test('P3: A worker without port and rule cannot be asked; with a command that asks it is ready.', async () => {
  const { ready } = await aService('worker', unruled(['sleep', '60']));
  expect(await look(testNode, ready)).toMatchObject({ alive: true, answer: 'unasked' });
  const ruled = unruled(['sh', '-c', 'touch up; exec sleep 60'], {
    ready: { command: ['test', '-e', 'up'] },
  });
  const { ready: asked } = await aService('asked', ruled);
  expect(await look(testNode, asked)).toMatchObject({ alive: true, answer: 'ready' });
});

test('A unit is asked by HTTP for a status.', async () => {
  const code =
    "require('http').createServer((q, r) => r.writeHead(q.url === '/health' && q.headers.token === 'x' ? 204 : 500).end())" +
    '.listen({{ports.main}}, process.env.BIND)';
  const web = (status: number) =>
    plan({
      making: {
        config: {
          ports: ['main'],
          processes: {
            web: {
              run: [process.execPath, '-e', code],
              env: { BIND: '{{node.bind}}' },
              ready: { port: 'main', http: '/health', status, headers: { token: 'x' } },
            },
          },
        },
      },
      operating: { timeouts: { start: 4000 } },
    });
  const { ready } = await aService('web', web(204));
  expect(await look(testNode, ready)).toMatchObject({ alive: true, answer: 'ready' });
  await expect(aService('web-wrong', web(200))).rejects.toMatchObject({
    hints: { detail: expect.stringContaining('it answers with status 204 in place of 200') as string },
  });
});

test('A monitor hook that says no makes every unit failed.', async () => {
  const monitor = {
    run: [testNode.hook('monitor', 'echo "cold feet" >&2; exit 1')],
    env: {},
    once: false,
    timeout: 30_000,
  };
  const { ready } = await aService('monitored', plan({ operating: { hooks: { monitor } } }));
  expect((await look(testNode, ready)).failed).toContain('cold feet');
});

test('Hooks for start, check_up and stop take the place of what is built in.', async () => {
  const hook = (name: string, text: string) => ({
    run: [testNode.hook(name, text)],
    env: {},
    once: false,
    timeout: 30_000,
  });
  const hooks = {
    start: hook('start', 'touch up'),
    check_up: hook('check-up', 'test -e up'),
    stop: hook('stop', 'rm up'),
  };
  const { ready } = await aService('hooked', plan({ operating: { hooks } }));
  expect(await look(testNode, ready)).toMatchObject({ alive: true, answer: 'ready' });
  expect((await carry(testNode.provisioner, 'stop', ready)).did).toEqual(['stop', 'check_up']);
  expect(await look(testNode, ready)).toMatchObject({ alive: false });
});

test('A hook that says for all units whether they are up is asked once.', async () => {
  const check = { run: [testNode.hook('once', 'echo x >> looks')], env: {}, once: false, timeout: 30_000 };
  const sleep = { run: ['sleep', '60'] };
  const of = plan({
    making: { config: { processes: { one: sleep, other: sleep } } },
    operating: { hooks: { check_up: check } },
  });
  const { ready } = await aService('asked-once', of);
  const looks = join(directoryOf(testNode, 'asked-once').data, 'looks');
  const before = statSync(looks).size;
  expect(await units.inspect(ready)).toHaveLength(2);
  expect(statSync(looks).size - before).toBe('x\n'.length);
});

test('A command that asks, and is not there, is said to be missing.', async () => {
  const asked = unruled(['sleep', '60'], { ready: { command: ['no-such-program'] } });
  await expect(aService('unasked', asked)).rejects.toMatchObject({
    word: 'not-ready',
    hints: { detail: expect.stringContaining('no-such-program, is not there') as string },
  });
});

test('P7: A command runs in one unit or in all, and an unknown unit is named.', async () => {
  const two = plan({
    making: {
      config: {
        processes: { one: { run: ['sleep', '60'] }, other: { run: ['sleep', '60'], env: { WHO: 'me' } } },
      },
    },
  });
  const { ready } = await aService('two', two);
  const command = ['sh', '-c', 'echo "$PURVEYOR_UNIT $WHO"; echo oh >&2; exit 4'];
  expect(await units.exec?.(ready, { command, timeout: 30_000 })).toEqual([
    { unit: 'one', code: 4, output: 'one \noh\n' },
    { unit: 'other', code: 4, output: 'other me\noh\n' },
  ]);
  expect(await units.exec?.(ready, { command: ['sleep', '9'], unit: 'one', timeout: 100 })).toEqual([
    { unit: 'one', code: -1, output: '' },
  ]);
  await expect(units.exec?.(ready, { command, unit: 'third', timeout: 100 })).rejects.toThrow(
    "There is no unit 'third'. There are: one, other.",
  );
  await expect(carry(testNode.provisioner, 'stop', { ...ready, units: ['third'] })).rejects.toThrow(Failure);
});

test('One unit of two is stopped and started without the other.', async () => {
  const two = plan({
    making: { config: { processes: { one: { run: ['sleep', '60'] }, other: { run: ['sleep', '60'] } } } },
  });
  const { ready } = await aService('one-of-two', two);
  const other = pidOf(testNode, 'one-of-two', 'other');
  await carry(testNode.provisioner, 'stop', { ...ready, units: ['one'] });
  expect((await units.inspect(ready)).map(({ alive }) => alive)).toEqual([false, true]);
  await carry(testNode.provisioner, 'start', { ...ready, units: ['one'] });
  expect((await units.inspect(ready)).map(({ alive }) => alive)).toEqual([true, true]);
  expect(pidOf(testNode, 'one-of-two', 'other')).toBe(other);
});

test('P8: The address is where a client can connect.', async () => {
  const { ready } = await aService('address');
  const { address: told = '' } = await look(testNode, ready);
  const [host, port] = told.split(':');
  expect(await say(Number(port), 'PING', host)).toBe('PONG');
});

test('The log of a unit has its last lines.', async () => {
  const { ready } = await aService('logged', plan(), { params: { more: '"stubborn": true,' } });
  process.kill(pidOf(testNode, 'logged'), 'SIGTERM');
  await until(
    'the process says that it ignores SIGTERM',
    async () => (await units.log?.(ready, { lines: 1 }))?.[0]?.text === 'SIGTERM is ignored',
  );
  process.kill(pidOf(testNode, 'logged'), 'SIGKILL');
});

test('A19: Another broker on this node finds what runs by its identity and leaves it running.', async () => {
  const { ready } = await aService('adopted');
  const pid = pidOf(testNode, 'adopted');
  const other = processes({ node: testNode.node, ports: testNode.ports });
  expect(await other.units?.inspect(ready)).toEqual([
    expect.objectContaining({ alive: true, answer: 'ready', pid }),
  ]);
  expect((await carry(other, 'start', ready)).did).toEqual(['start', 'check_up']);
  expect(startsOf(testNode, 'adopted')).toEqual([String(pid)]);
});

test('When the node has another address now, a restart configures the instance for it.', async () => {
  const { ready } = await aService('moved');
  const moved = processes({
    node: { ...testNode.node, bind: '127.2.2.2', host: '127.2.2.2' },
    ports: testNode.ports,
  });
  const { did } = await carry(moved, 'restart', ready);
  expect(did).toEqual(['stop', 'check_up', 'configure', 'start', 'check_up']);
  expect(
    await say(
      Number(((await moved.units?.inspect(ready))?.[0]?.address ?? '').split(':')[1]),
      'PING',
      '127.2.2.2',
    ),
  ).toBe('PONG');
});

test('A binding has what was said for it, until it is unbound; at rest the unbinding is done at the next start.', async () => {
  const exchanges = {
    bind: [{ port: 'main', send: 'USERADD {{binding.id}}\n', expect: 'OK' }],
    unbind: [{ port: 'main', send: 'USERDEL {{binding.id}}\n', expect: 'OK' }],
  };
  const { ready } = await aService('bound', plan({ making: { config: { ...config, ...exchanges } } }));
  const binding = (id: string): Work => ({
    ...ready,
    binding: {
      instanceId: 'bound',
      id,
      context: {},
      ready: true,
      createdAt: new Date(),
      confidential: { parameters: {}, secrets: {}, facts: {}, answer: {} },
    },
    values: { ...ready.values, binding: { id } },
  });
  const users = () =>
    readFileSync(join(directoryOf(testNode, 'bound').data, 'users'), 'utf8')
      .trim()
      .split('\n');
  await carry(testNode.provisioner, 'bind', binding('b1'));
  await carry(testNode.provisioner, 'bind', binding('b2'));
  await carry(testNode.provisioner, 'unbind', binding('b1'));
  expect(users()).toEqual(['+b1', '+b2', '-b1']);
  await carry(testNode.provisioner, 'stop', ready);
  await carry(testNode.provisioner, 'unbind', binding('b2'));
  const atRest = { ...binding('b3'), instance: anInstance({ id: 'bound', stopped: true }) };
  await expect(carry(testNode.provisioner, 'bind', atRest)).rejects.toThrow('The instance is stopped.');
  await carry(testNode.provisioner, 'start', ready);
  expect(users()).toEqual(['+b1', '+b2', '-b1', '-b2']);
});

test('A hook for bind tells what credentials may use.', async () => {
  const hooks = {
    bind: {
      run: [testNode.hook('bind', 'cat > /dev/null; echo \'{"user": "u1"}\'')],
      env: {},
      once: false,
      timeout: 30_000,
    },
  };
  const { ready } = await aService('hook-bound', plan({ operating: { hooks } }));
  const { made: given } = await carry(testNode.provisioner, 'bind', ready);
  expect(given.facts).toEqual({ outputs: { bind: { user: 'u1' } } });
});

test('A service that refuses what is said for a binding makes the bind fail, and the operator sees its words.', async () => {
  const exchanges = { bind: [{ port: 'main', send: 'NONSENSE\n', expect: 'OK' }] };
  const { ready } = await aService('refusing', plan({ making: { config: { ...config, ...exchanges } } }));
  await expect(carry(testNode.provisioner, 'bind', ready)).rejects.toMatchObject({
    word: 'refused',
    hints: { detail: expect.stringContaining('ERR') as string },
  });
});

test('A log that has grown too long is put aside at the next start.', async () => {
  const { ready } = await aService('long-log');
  const log = join(directoryOf(testNode, 'long-log').log, 'server.log');
  truncateSync(log, 11_000_000);
  await carry(testNode.provisioner, 'restart', ready);
  expect(statSync(log).size).toBeLessThan(1000);
  expect(existsSync(`${log}.1`)).toBe(true);
  truncateSync(log, 60_000_000);
  await look(testNode, ready);
  expect(statSync(log).size).toBe(0);
});

asRoot("A log that is another name of somebody else's file is neither emptied nor shown.", async () => {
  const { ready } = await aService('linked-log');
  const { log } = directoryOf(testNode, 'linked-log');
  const strange = join(testNode.node.directory, 'strange');
  writeFileSync(strange, 'mine');
  truncateSync(strange, 60_000_000);
  rmSync(join(log, 'server.log'));
  linkSync(strange, join(log, 'server.log'));
  await look(testNode, ready);
  expect(statSync(strange).size).toBe(60_000_000);
  truncateSync(strange, 4);
  expect(await units.log?.(ready, { lines: 10 })).toEqual([{ unit: 'server', text: '' }]);
});

test('Every unit is listed while it is made, before anything is configured.', async () => {
  const seen = await units.inspect(work('not-made'));
  expect(seen).toEqual([expect.objectContaining({ unit: 'server', alive: false })]);
});
