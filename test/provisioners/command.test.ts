import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Json } from '../../src/broker/json.ts';
import { command } from '../../src/provisioners/command/index.ts';
import { aTestNode } from '../node/test-node.ts';
import { describeProvisioner, finish } from './contract.ts';
import {
  dataOf,
  deprovision,
  names,
  onEachNode,
  provision,
  provisioner,
  ran,
  ranFile,
  script,
  scripts,
  somePorts,
  update,
  workWith,
} from './command-scripts.ts';

onEachNode();

describeProvisioner('the command one', async () => {
  const own = await aTestNode();
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
  test('What happens are the hooks in their order, each a step of the timeline.', async () => {
    const hooks = scripts({
      remove: '',
      check_up: '',
      once_ready: '',
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
    const making = ['init', 'prepare', 'configure', 'start', 'check_up', 'once_ready'];
    expect(names((await provision(work)).timeline)).toEqual(making);
    await finish(provisioner, 'bind', work);
    expect(names((await update(work)).timeline)).toEqual(['prepare', 'configure', 'update']);
    await finish(provisioner, 'unbind', work);
    expect(names((await deprovision(work)).timeline)).toEqual(['stop', 'remove', 'clear']);
    expect(ran()).toEqual([...making, 'bind', 'configure', 'update', 'unbind', 'stop', 'remove']);
  });

  test('What happens is nothing where there is no hook, and that is a success.', async () => {
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

  test('What happens is told to the hooks on their input, whatever characters are in it.', async () => {
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

  test('What happens is told by the hooks, and kept: of a binding beside what was told of the instance.', async () => {
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

  test('What happens stays apart for two that are made at once.', async () => {
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

  test('A hook that asks to be tried again is tried again after 1, 2 and 4 s, told how often, and counted in the timeline.', async () => {
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

  test('A hook that asks to be tried again has failed after the fourth time.', async () => {
    const step = provision(workWith({ hooks: { configure: script('configure', counting(5)) } }));
    await expect(step).rejects.toMatchObject({
      word: 'hook',
      message: 'The step configure was tried 4 times and was not ready to be done.',
    });
  });
});

describe('When a hook fails', () => {
  test('When a hook fails, the operation fails at once, and what was told is there for the removal.', async () => {
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

  test('When a hook fails, a removal can be told again.', async () => {
    const work = workWith({ hooks: { remove: script('remove', `[ -f allowed ] || exit 3`) } });
    await provision(work);
    await expect(deprovision(work)).rejects.toThrow(/The step remove failed/);
    writeFileSync(join(dataOf(), 'allowed'), '');
    await deprovision(work);
    expect(await provisioner.inventory?.()).toEqual([]);
  });

  test('When a hook fails, a value that its arguments need is no reason to try for hours.', async () => {
    const bind = script('bind', '', { run: ['./hooks/cache/bind', '{{outputs.init.id}}'] });
    const work = workWith({ hooks: { bind }, bindingId: 'b1' });
    await provision(work);
    await expect(provisioner.bind?.(work)).rejects.toMatchObject({ word: 'misconfigured' });
  });

  test('When a hook fails, a program that is not there is a matter of the operator.', async () => {
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
