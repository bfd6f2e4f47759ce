import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Hook, Operating } from '../../src/broker/catalog.ts';
import type { Json, JsonObject } from '../../src/broker/json.ts';
import { keyOf } from '../../src/broker/key.ts';
import type { Ports } from '../../src/broker/nodes.ts';
import type { StepDone, Provisioner, Step, Work } from '../../src/broker/provisioner.ts';
import { leftRunning } from '../../src/broker/units.ts';
import { isAlive } from '../../src/system/process-identity.ts';
import { instanceDirectory } from '../../src/node/instance-directory.ts';
import { launch } from '../../src/system/launch.ts';
import { writeMark } from '../../src/node/state-files.ts';
import { readStat } from '../../src/system/proc.ts';
import { command } from '../../src/provisioners/command/index.ts';
import { aPlan, anInstance } from '../broker/fixtures.ts';
import { aNode, type NodeWorld } from '../node/test-node.ts';
import { aWork, describeProvisioner, finish } from './contract.ts';

let world: NodeWorld;
let provisioner: Provisioner;
let numbers: ReturnType<typeof somePorts>;

beforeEach(async () => {
  world = await aNode();
  numbers = somePorts(3);
  provisioner = command({ node: world.node, ports: numbers.ports });
});
afterEach(() => world.close());

/** So many ports, from 20000 on. */
function somePorts(count: number) {
  const owners = new Map<number, string>();
  const has = (owner: string) => [...owners].find(([, who]) => who === owner)?.[0];
  const ports: Ports = {
    async take(_node, instanceId, names) {
      const taken = names.map((name) => {
        const owner = `${instanceId} ${name}`;
        const free = Array.from({ length: count }, (_, index) => 20_000 + index).find(
          (one) => !owners.has(one),
        );
        const port = has(owner) ?? free;
        if (port !== undefined) owners.set(port, owner);
        return [name, port] as const;
      });
      if (taken.some(([, port]) => port === undefined)) return undefined;
      return Object.fromEntries(taken) as Record<string, number>;
    },
    replace: async () => undefined,
    async release(_node, instanceId) {
      for (const [port, owner] of owners) if (owner.startsWith(`${instanceId} `)) owners.delete(port);
    },
  };
  return { ports, owners };
}

/** An executable in the catalog; a hook that runs it. */
function script(name: string, text: string, rest: Partial<Hook> = {}, place = world.place): Hook {
  const path = `hooks/cache/${name}`;
  const file = join(place, 'catalog', path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  return { run: [`./${path}`], env: {}, once: false, ...rest };
}

/** Hooks of these names and texts, each of which also notes that it ran. */
function scripts(texts: Readonly<Record<string, string>>): Record<string, Hook> {
  return Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [
      name,
      script(name, `echo ${name} >> ${ranFile()}\n${text}`),
    ]),
  );
}

function ranFile(): string {
  const file = join(world.place, 'ran');
  if (!existsSync(file)) {
    writeFileSync(file, '');
    chmodSync(file, 0o666);
  }
  return file;
}

const ran = () => readFileSync(ranFile(), 'utf8').split('\n').filter(Boolean);

interface Parts {
  readonly hooks?: Readonly<Record<string, Hook>>;
  readonly operating?: Partial<Operating>;
  readonly config?: JsonObject;
  readonly values?: JsonObject;
  readonly bindingId?: string;
  readonly instanceId?: string;
}

function workWith({ hooks = {}, operating = {}, config = {}, ...rest }: Parts): Work {
  const plan = aPlan({ making: { provisioner: 'command', config }, operating: { hooks, ...operating } });
  return aWork({ plan, ...rest });
}

/** Step after step without the pauses; the timeline, and what was made. */
async function carry(take: (work: Work) => Promise<Step<unknown>> | undefined, first: Work) {
  const timeline: StepDone[] = [];
  const pauses: number[] = [];
  for (let work = first; ;) {
    const step = await take(work);
    if (!step) throw new Error('This cannot be done.');
    if (step.did) timeline.push(step.did);
    if ('done' in step) return { made: step.done as { facts?: JsonObject } | undefined, timeline, pauses };
    pauses.push(step.again.afterMs);
    work = { ...work, memo: step.again.memo };
  }
}

const provision = (work: Work) => carry((it) => provisioner.provision(it), work);
const update = (work: Work) => carry((it) => provisioner.update?.(it), work);
const deprovision = (work: Work) => carry((it) => provisioner.deprovision(it), work);
/** A hook of the instance that a dead broker has left running. */
async function launchLeft() {
  const directory = instanceDirectory(world.node, 'command', { id: 'i1' });
  const hook = await launch(world.node, {
    command: ['sleep', '60'],
    cwd: directory.data,
    env: { PATH: world.node.path, PURVEYOR_INSTANCE: 'i1' },
    identityFile: join(directory.state, 'left.json'),
    logFile: join(directory.log, 'left.log'),
  });
  writeMark(directory, 'runs-configure-1', {
    hook: { ...hook },
    broker: { pid: 1, startTime: '1', bootId: 'before' },
  });
  return hook;
}

const names = (timeline: readonly StepDone[]) => timeline.map(({ step }) => step);
const dataOf = (id = 'i1') => join(world.node.directory, 'command', keyOf(id), 'data');

describeProvisioner('the command one', async () => {
  const own = await aNode();
  const hook = (name: string, text: string) => script(name, text, {}, own.place);
  return {
    provisioner: command({ node: own.node, ports: somePorts(100).ports }),
    making: { config: { needs: ['sh'], ports: ['main'] } },
    operating: {
      hooks: {
        init: hook('init', `echo '{"made": true}'`),
        configure: hook('configure', 'cat > input.json'),
        bind: hook(
          'bind',
          `printf '{"user": "u-%s"}' "$(sed 's/.*"binding":{"id":"//;s/".*//' | cksum | cut -d' ' -f1)"`,
        ),
        unbind: hook('unbind', 'true'),
        check_up: hook('check_up', 'true'),
        remove: hook('remove', 'test -f input.json || true'),
      },
    },
    close: () => own.close(),
  };
});

describe('What happens', () => {
  test('are the hooks in their order, each a step of the timeline.', async () => {
    const hooks = scripts({
      remove: '',
      check_up: '',
      start: '',
      configure: '',
      prepare: '',
      init: '',
      stop: '',
      bind: '',
      unbind: '',
      update: '',
      monitor: '',
    });
    const work = workWith({ hooks, bindingId: 'b1' });
    const making = ['init', 'prepare', 'configure', 'start', 'check_up'];
    expect(names((await provision(work)).timeline)).toEqual(making);
    await finish(provisioner, 'bind', work);
    expect(names((await update(work)).timeline)).toEqual(['prepare', 'configure', 'update']);
    await finish(provisioner, 'unbind', work);
    expect(names((await deprovision(work)).timeline)).toEqual(['stop', 'remove', 'clear']);
    expect(ran()).toEqual([...making, 'bind', 'configure', 'update', 'unbind', 'stop', 'remove']);
  });

  test('is nothing where there is no hook, and that is a success.', async () => {
    const work = workWith({ bindingId: 'b1' });
    expect(names((await provision(work)).timeline)).toEqual(['init']);
    expect(await provisioner.bind?.(work)).toEqual({ done: {} });
    expect(await provisioner.unbind?.(work)).toEqual({ done: undefined });
    for (const deed of ['start', 'stop', 'restart'] as const) {
      expect(await provisioner.units?.[deed]?.(work)).toEqual({ done: undefined });
    }
    expect(names((await deprovision(work)).timeline)).toEqual(['clear']);
    expect(existsSync(dirname(dataOf()))).toBe(false);
  });

  test('is told to the hooks on their input, whatever characters are in it.', async () => {
    const hooks = {
      configure: script('configure', 'cat > input.json'),
      bind: script('bind', 'cat > bind.json'),
    };
    const word = 'blanks, "quotes", $(touch pwned) `id`,\n\'lines\' and ñ👍🏽';
    const values = {
      params: { word },
      plan: { size: 3 },
      secrets: { password: 'hunter22' },
      instance: { id: 'i1', name: 'mine' },
      binding: { id: 'b1', app: 'a1' },
      deps: { cache: { uri: 'redis://x' } },
    };
    const work = workWith({ hooks, values, bindingId: 'b1', config: { ports: ['main'] } });
    const { made } = await provision(work);
    await finish(provisioner, 'bind', { ...work, values: { ...values, ...made?.facts } });
    const read = (name: string) => JSON.parse(readFileSync(join(dataOf(), name), 'utf8')) as Json;
    const expected = {
      action: 'configure',
      try: 1,
      instance: values.instance,
      plan: values.plan,
      parameters: { word },
      ports: { main: 20_000 },
      secrets: values.secrets,
      dir: expect.objectContaining({ data: dataOf() }) as Json,
      node: { name: 'here', host: '127.0.0.1', bind: '127.0.0.1' },
      deps: values.deps,
    };
    expect(read('input.json')).toMatchObject(expected);
    expect(read('bind.json')).toMatchObject({
      ...expected,
      action: 'bind',
      binding: { id: 'b1', app: 'a1' },
    });
    expect(existsSync(join(dataOf(), 'pwned'))).toBe(false);
  });

  test('is told by the hooks, and kept: of a binding beside what was told of the instance.', async () => {
    const hooks = {
      init: script('init', `echo '{"id": 7}'`),
      configure: script('configure', `printf '{"got": "%s"}' "$1"`, {
        run: ['./hooks/cache/configure', 'id-{{outputs.init.id}}'],
      }),
      bind: script('bind', `echo '{"user": "u1"}'`),
    };
    const work = workWith({ hooks, bindingId: 'b1' });
    const { made } = await provision(work);
    const outputs = { init: { id: 7 }, configure: { got: 'id-7' } };
    expect(made?.facts).toMatchObject({ outputs, dir: { data: dataOf() }, node: { host: '127.0.0.1' } });
    expect(await finish(provisioner, 'bind', { ...work, values: { ...made?.facts } })).toEqual({
      facts: { outputs: { ...outputs, bind: { user: 'u1' } } },
    });
  });

  test('stays apart for two that are made at once.', async () => {
    const hooks = {
      configure: script(
        'configure',
        `cat > mine; sleep 0.1; printf '{"word": "%s"}' "$(cut -d'"' -f12 mine)"`,
      ),
    };
    const ids = ['i1', 'i2', 'i3'];
    const made = await Promise.all(
      ids.map((instanceId) =>
        provision(workWith({ hooks, instanceId, values: { instance: { id: instanceId } } })),
      ),
    );
    expect(made.map((one) => one.made?.facts?.['outputs'])).toEqual(
      ids.map((word) => ({ configure: { word } })),
    );
  });
});

describe('A hook that asks to be tried again', () => {
  const counting = (done: number) => `echo x >> tries; [ "$(wc -l < tries)" -ge ${done} ] || exit 75`;

  test('is tried again after 1, 2 and 4 s, told how often, and counted in the timeline.', async () => {
    const hooks = {
      configure: script('configure', `${counting(4)}; printf '{"try": %s}' "$(sed 's/.*"try"://;s/,.*//')"`),
    };
    const { made, timeline, pauses } = await provision(workWith({ hooks }));
    expect(timeline).toEqual([
      { step: 'init', tries: 1 },
      { step: 'configure', tries: 4 },
    ]);
    expect(pauses).toEqual([0, 1000, 2000, 4000]);
    expect(made?.facts).toMatchObject({ outputs: { configure: { try: 4 } } });
  });

  test('has failed after the fourth time.', async () => {
    const step = provision(workWith({ hooks: { configure: script('configure', counting(5)) } }));
    await expect(step).rejects.toMatchObject({
      word: 'hook',
      message: 'The step configure was tried 4 times and was not ready to be done.',
    });
  });
});

describe('When a hook fails', () => {
  test('the operation fails at once, and what was told is there for the removal.', async () => {
    const hooks = {
      ...scripts({ init: `echo '{"id": 7}'`, configure: 'echo no room >&2; exit 1', start: '' }),
      remove: script('remove', `echo "$1" >> ${ranFile()}`, {
        run: ['./hooks/cache/remove', 'remove-{{outputs.init.id}}'],
      }),
    };
    const work = workWith({ hooks });
    const first = await provisioner.provision(work);
    const memo = 'again' in first ? first.again.memo : null;
    const step = provisioner.provision({ ...work, memo });
    await expect(step).rejects.toMatchObject({ message: 'The step configure failed (exit code 1): no room' });
    await deprovision({ ...work, trace: memo });
    expect(ran()).toEqual(['init', 'configure', 'remove-7']);
    expect(existsSync(dirname(dataOf()))).toBe(false);
  });

  test('a removal can be told again.', async () => {
    const work = workWith({ hooks: { remove: script('remove', `[ -f allowed ] || exit 3`) } });
    await provision(work);
    await expect(deprovision(work)).rejects.toThrow(/The step remove failed/);
    writeFileSync(join(dataOf(), 'allowed'), '');
    await deprovision(work);
    expect(await provisioner.inventory?.()).toEqual([]);
  });

  test('a value that its arguments need is no reason to try for hours.', async () => {
    const bind = script('bind', '', { run: ['./hooks/cache/bind', '{{outputs.init.id}}'] });
    const work = workWith({ hooks: { bind }, bindingId: 'b1' });
    await provision(work);
    await expect(provisioner.bind?.(work)).rejects.toMatchObject({ word: 'misconfigured' });
  });

  test('a program that is not there is a matter of the operator.', async () => {
    const hook = script('x', '', { run: ['no-such-program'] });
    const step = provision(workWith({ hooks: { init: hook } }));
    await expect(step).rejects.toMatchObject({ word: 'misconfigured' });
    const missing = { ...hook, run: ['./hooks/cache/missing'] };
    expect(provisioner.obstacle?.(workWith({ hooks: { init: missing } }).plan)).toBe(
      'the hook hooks/cache/missing is in no catalog directory',
    );
    expect(provisioner.obstacle?.(workWith({ hooks: { init: hook } }).plan)).toBeUndefined();
  });
});

describe('An instance', () => {
  test('keeps the hooks it was made with until it is updated.', async () => {
    const work = workWith({ hooks: scripts({ bind: `echo '{"version": 1}'` }), bindingId: 'b1' });
    await provision(work);
    scripts({ bind: `echo '{"version": 2}'` });
    const bound = { facts: { outputs: { bind: { version: 1 } } } };
    expect(await finish(provisioner, 'bind', work)).toEqual(bound);
    await update(work);
    expect(await finish(provisioner, 'bind', work)).toEqual({ facts: { outputs: { bind: { version: 2 } } } });
  });

  test('does a `once` step once, also over updates and restarts.', async () => {
    const hooks = scripts({ configure: `echo '{"first": true}'`, start: '', stop: '' });
    const once = { ...hooks, configure: { ...hooks['configure'], once: true } as Hook };
    const work = workWith({ hooks: once });
    await provision(work);
    const { made } = await update(work);
    await carry((it) => provisioner.units?.restart?.(it), work);
    expect(made?.facts).toMatchObject({ outputs: { configure: { first: true } } });
    expect(ran()).toEqual(['configure', 'start', 'stop', 'start']);
  });

  test('has the ports it asks for as long as it is there.', async () => {
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

  test('is stopped by halt when stop was not enough.', async () => {
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

  test('is stopped by halt when nobody can say whether it is up.', async () => {
    const work = workWith({ hooks: scripts({ stop: 'true', halt: 'true', check_up: 'exit 7' }) });
    await carry((it) => provisioner.provision(it), work).catch(() => undefined);
    await carry((it) => provisioner.units?.stop?.(it), work);
    expect(ran().slice(-3)).toEqual(['stop', 'check_up', 'halt']);
  });

  test('gives its ports back when it is purged, and nothing of its hooks runs on.', async () => {
    const work = workWith({ config: { ports: ['main'] } });
    await provision(work);
    const hook = await launchLeft();
    const [thing] = (await provisioner.inventory?.()) ?? [];
    if (thing) await provisioner.purge?.(thing);
    expect(numbers.owners.size).toBe(0);
    expect(isAlive(hook)).toBe(false);
    expect(await provisioner.inventory?.()).toEqual([]);
  });

  test('has the time of its step where the offering sets one.', async () => {
    const hooks = scripts({ configure: 'sleep 60' });
    const work = workWith({ hooks, operating: { timeouts: { configure: 200 } } });
    await expect(provision(work)).rejects.toMatchObject({
      message: 'The step configure was ended after its limit of 0.2 s.',
    });
  });

  test('is made when it is up, and not before.', async () => {
    const check = `echo x >> looks; echo not yet >&2; [ "$(wc -l < looks)" -ge 4 ]`;
    const { timeline, pauses } = await provision(workWith({ hooks: scripts({ check_up: check }) }));
    expect(timeline).toEqual([{ step: 'init', tries: 1 }, { step: 'check_up' }]);
    expect(pauses).toEqual([0, 50, 100, 200]);
  });

  test('has failed when it does not come up in time.', async () => {
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

  test('only starts what is dead.', async () => {
    const work = workWith({ hooks: scripts(hooks) });
    await provision(work);
    rmSync(join(dataOf(), 'up'));
    expect(names((await heal(work, [])).timeline)).toEqual(['start', 'check_up']);
  });

  test('asks to end what may be asked, and never calls halt: what stays up is left as it is.', async () => {
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

describe('A look', () => {
  const look = async (work: Work) => (await provisioner.units?.inspect(work)) ?? [];

  async function made(hooks: Readonly<Record<string, string>>, rest: Partial<Work> = {}): Promise<Work> {
    const work = { ...workWith({ hooks: scripts(hooks) }), ...rest };
    await provision(workWith({}));
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
  ])('finds it %s as check_up says: %s.', async (_word, text, facts) => {
    expect(await look(await made({ check_up: text }))).toEqual([
      expect.objectContaining({ unit: 'cache', ...facts }),
    ]);
  });

  test('asks check_up, and monitor when that is well.', async () => {
    const work = await made({ check_up: 'test ! -f down', monitor: 'echo slow >&2; exit 1' });
    expect(await look(work)).toMatchObject([
      { alive: true, failed: 'its monitor says that it is not up: slow' },
    ]);
    writeFileSync(join(dataOf(), 'down'), '');
    expect(await look(work)).toMatchObject([{ alive: false, reason: 'its check_up says that it is not up' }]);
  });

  test('finds it alive as long as a process lives that was started for it, whatever check_up says.', async () => {
    const work = await made({
      start: 'setsid sleep 60 > /dev/null 2>&1 & echo $! > pid',
      check_up: 'test ! -f full || { echo full >&2; exit 1; }',
    });
    await carry((it) => provisioner.units?.start?.(it), work);
    const pid = Number(readFileSync(join(dataOf(), 'pid'), 'utf8'));
    writeFileSync(join(dataOf(), 'full'), '');
    const reason = 'its check_up says that it is not up: full';
    expect(await look(work)).toMatchObject([{ alive: true, answer: 'wrong', reason }]);
    const atRest = { ...work, instance: anInstance({ stopped: true }) };
    expect(await look(atRest)).toMatchObject([{ alive: false }]);
    process.kill(pid, 'SIGKILL');
    while (readStat(pid)?.dead === false) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await look(work)).toMatchObject([{ alive: false, reason }]);
  });

  test('without hooks finds it as it shall be.', async () => {
    const work = await made({});
    expect(await look(work)).toMatchObject([{ alive: true, answer: 'ready' }]);
    expect(await look({ ...work, instance: anInstance({ stopped: true }) })).toMatchObject([
      { alive: false },
    ]);
  });

  test('sees that its directory is gone.', async () => {
    expect(await look(workWith({}))).toMatchObject([{ alive: false, fault: 'its directory is gone' }]);
  });

  test('into the log finds what hooks have written.', async () => {
    const hooks = scripts({ configure: 'echo one >&2; echo two >&2' });
    const work = workWith({ hooks });
    await provision(work);
    const log = await provisioner.units?.log?.(work, { lines: 1 });
    expect(log).toEqual([{ unit: 'cache', text: expect.stringMatching(/^\S+Z configure: two\n$/) }]);
    expect(await provisioner.units?.log?.(work, { lines: 9, unit: 'other' })).toEqual([]);
  });
});
