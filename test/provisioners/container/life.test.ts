import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../src/broker/errors.ts';
import type { JsonObject } from '../../../src/broker/json.ts';
import type { Work } from '../../../src/broker/provisioner.ts';
import { docker } from '../../support/container-engine.ts';
import { until } from '../../support/until.ts';
import { carry, type Done, following, portOf, say } from '../process/process-node.ts';
import { password } from '../process/process-node.ts';
import { aContainerNode, type ContainerNode, describeContainers, redisWork } from './container-node.ts';

/** The life of an instance in a container of a real engine. */

describeContainers('With a real engine,', () => {
  let testNode: ContainerNode;
  let work: Work;
  let done: Done;
  let ready: Work;
  const limits = { memory: 64 * 1024 * 1024, cpu: 0.5, pids: 40, files: 512 };
  beforeAll(async () => {
    testNode = await aContainerNode();
    work = redisWork('life', testNode.plan({}, { limits }));
    done = await carry(testNode.provisioner, 'provision', work);
    ready = following(work, done);
  });
  afterAll(async () => {
    await carry(testNode.provisioner, 'deprovision', ready);
    expect(docker(testNode.engine.socket, 'ps', '-aq')).toBe('');
    expect(docker(testNode.engine.socket, 'network', 'ls', '-q', '-f', 'label=purveyor.key')).toBe('');
    await testNode.close();
  });

  const nameOf = () => docker(testNode.engine.socket, 'ps', '-aq', '--no-trunc').trim();
  const inspected = () =>
    (JSON.parse(docker(testNode.engine.socket, 'inspect', nameOf())) as [JsonObject])[0] as Record<
      string,
      JsonObject
    >;
  const exec = async (command: readonly string[], timeout = 30_000) => {
    const [ran] = (await testNode.provisioner.units?.exec?.(ready, { command, timeout })) ?? [];
    return ran;
  };
  const seen = async (of = ready) => {
    const [unit] = (await testNode.provisioner.units?.inspect(of)) ?? [];
    return unit;
  };
  const redis = (words: string) => say(portOf(done), words);

  test('A container is made with the limits of its plan, and without what it does not need.', () => {
    const { HostConfig, Config, State } = inspected();
    expect(HostConfig).toMatchObject({
      Memory: limits.memory,
      MemorySwap: limits.memory,
      NanoCpus: 5e8,
      PidsLimit: 40,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      RestartPolicy: { Name: 'no' },
    });
    expect(Config).toMatchObject({ Healthcheck: { Test: ['NONE'] } });
    expect(Config?.['Labels']).toMatchObject({
      'purveyor.node': testNode.node.directory,
      'purveyor.instance': 'life',
      'purveyor.unit': 'redis',
    });
    expect(State).not.toHaveProperty('Health');
  });

  test('Programs in a container have no rights, and can write what is of their instance alone.', async () => {
    const status = await exec(['cat', '/proc/self/status']);
    expect(status?.output).toMatch(/^CapEff:\t0+$/m);
    expect(status?.output).toMatch(/^CapBnd:\t0+$/m);
    expect(status?.output).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status?.output).toMatch(/^Seccomp:\t2$/m);
    const { uid } = testNode.node.account ?? { uid: -1 };
    expect((await exec(['id', '-u']))?.output.trim()).toBe(String(uid));
    expect(await exec(['touch', '/other'])).toMatchObject({
      code: 1,
      output: expect.stringContaining('Read-only') as string,
    });
    expect(await exec(['sh', '-c', 'touch "$HOME/mine" /tmp/mine && echo "$COLOUR $PURVEYOR_UNIT"'])).toEqual(
      {
        unit: 'redis',
        code: 0,
        output: 'blue redis\n',
      },
    );
  });

  test('An instance in a container has a network that no other container is in.', () => {
    const { Networks = {} } = inspected()['NetworkSettings'] as { Networks?: JsonObject };
    expect(Object.keys(Networks)).toHaveLength(1);
    expect(Object.keys(Networks)[0]).toMatch(/^purveyor-[0-9a-f]{8}-p[0-9a-f]{20}$/);
  });

  test('Operators run commands in a container, with their code, and with an end.', async () => {
    expect(await exec(['sh', '-c', 'echo out; echo err >&2; exit 3'])).toEqual({
      unit: 'redis',
      code: 3,
      output: 'out\nerr\n',
    });
    expect(await exec(['no-such-program'])).toMatchObject({ code: 127 });
    expect(await exec(['sleep', '600'], 500)).toMatchObject({ code: -1 });
    expect(docker(testNode.engine.socket, 'top', nameOf())).not.toContain('sleep 600');
  });

  test('Operators read what a container wrote, its last lines.', async () => {
    const [log] = (await testNode.provisioner.units?.log?.(ready, { lines: 1 })) ?? [];
    expect(log?.unit).toBe('redis');
    expect(log?.text).toMatch(/^.*Ready to accept connections.*$/);
    expect(log?.text).not.toContain('\n');
  });

  test('A unit in a container is seen by its pid on the machine, and asked at the address of applications.', async () => {
    const unit = await seen();
    expect(unit).toMatchObject({
      alive: true,
      answer: 'ready',
      address: `${testNode.node.host}:${portOf(done)}`,
    });
    expect(readFileSync(`/proc/${unit?.pid}/cmdline`, 'utf8')).toContain('redis-server');
  });

  test('A binding has a user in the service, which goes with it.', async () => {
    const { provisioner } = testNode;
    await carry(provisioner, 'bind', ready);
    expect(await redis('AUTH pbinding pbinding')).toBe('+OK');
    await carry(provisioner, 'unbind', ready);
    expect(await redis('AUTH pbinding pbinding')).toMatch(/^-WRONGPASS/);
  });

  test('A container that was killed is down, and started again by a restart that spares what lives, with its data.', async () => {
    expect(await redis(`AUTH ${password}\r\nSET kept yes`)).toContain('+OK');
    const before = nameOf();
    docker(testNode.engine.socket, 'kill', '-s', 'KILL', before);
    expect(await seen()).toMatchObject({
      alive: false,
      answer: 'unasked',
      reason: expect.stringContaining('it has ended') as string,
    });
    await carry(testNode.provisioner, 'restart', { ...ready, sparing: { end: [] } });
    expect(await seen()).toMatchObject({ alive: true, answer: 'ready' });
    // It is the same one, which still knows what it wrote before.
    expect(nameOf()).toBe(before);
    expect(await redis(`AUTH ${password}\r\nGET kept`)).toContain('yes');
  });

  test('A stopped container does not run, and starts again; both may be said twice.', async () => {
    const { provisioner } = testNode;
    for (const word of ['stop', 'stop'] as const) await carry(provisioner, word, ready);
    expect(await seen()).toMatchObject({ alive: false });
    for (const word of ['start', 'start'] as const) await carry(provisioner, word, ready);
    expect(await seen()).toMatchObject({ alive: true, answer: 'ready' });
  });

  test('An update makes the container anew with its data, and one that does not come up is taken back.', async () => {
    const changed = (run: readonly string[]) => {
      const env = { COLOUR: 'red' };
      const { processes } = ready.plan.making.config as { processes: { redis: object } };
      return { processes: { redis: { ...processes.redis, env, run } } };
    };
    const good = changed(['redis-server', '{{dir.conf}}/redis.conf']);
    const next = { ...ready, plan: testNode.plan(good, { limits: { ...limits, pids: 50 } }) };
    await carry(testNode.provisioner, 'update', next);
    ready = next;
    expect((await exec(['sh', '-c', 'echo "$COLOUR"']))?.output).toBe('red\n');
    expect(inspected()['HostConfig']).toMatchObject({ PidsLimit: 50 });
    expect(await redis(`AUTH ${password}\r\nGET kept`)).toContain('yes');
    const bad = { ...ready, plan: testNode.plan(changed(['no-such-server'])) };
    const failed = await carry(testNode.provisioner, 'update', bad).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(Failure);
    expect(failed).toMatchObject({ word: 'not-started', hints: { instanceUsable: true } });
    expect(await seen()).toMatchObject({ alive: true, answer: 'ready' });
    expect(await redis(`AUTH ${password}\r\nGET kept`)).toContain('yes');
  });

  test('A container that wants more memory than its plan allows ends, and its status says so.', async () => {
    const fill = "local t = {} for i = 1, 200 do t[i] = string.rep('x', 1048576 + i) end return #t";
    const client = ['redis-cli', '--no-auth-warning', '-a', password, '-p', String(portOf(done))];
    await exec([...client, 'EVAL', fill, '0']);
    await until('the container has ended', async () => (await seen())?.alive === false);
    const { State } = inspected();
    expect({ seen: await seen(), State }).toMatchObject({
      seen: {
        alive: false,
        reason: expect.stringContaining(
          'it was ended for want of memory, of which its plan allows 64',
        ) as string,
      },
      State: { OOMKilled: true },
    });
    await carry(testNode.provisioner, 'restart', ready);
    expect(await seen()).toMatchObject({ alive: true, answer: 'ready' });
  });

  test('Files of an instance lie in its directory on the node, at the same paths in the container.', async () => {
    const { dir } = (done.made.facts ?? {}) as { dir: Record<string, string> };
    const inside = await exec(['cat', join(dir['conf'] ?? '', 'redis.conf')]);
    expect(inside?.output).toBe(readFileSync(join(dir['conf'] ?? '', 'redis.conf'), 'utf8'));
    expect(inside?.output).toContain('bind 0.0.0.0\n');
  });

  test('Containers of one instance start in their order, reach each other by their names, and are restarted one by one.', async () => {
    const { provisioner } = testNode;
    const server = (port: string) => [
      'redis-server',
      '--port',
      `{{ports.${port}}}`,
      '--bind',
      '{{node.bind}}',
      '--save',
      '',
    ];
    const processes = {
      first: {
        run: [...server('first'), '--protected-mode', 'no'],
        ports: ['first'],
        ready: { port: 'first' },
      },
      second: {
        order: 2,
        run: server('second'),
        ports: ['second'],
        ready: { command: ['redis-cli', '-h', 'first', '-p', '{{ports.first}}', 'PING'] },
      },
    };
    const config = { ports: ['first', 'second'], files: {}, bind: [], unbind: [], processes };
    const two = redisWork('two', testNode.plan(config));
    const both = following(two, await carry(provisioner, 'provision', two));
    const before = (await provisioner.units?.inspect(both)) ?? [];
    expect(before).toMatchObject([
      { unit: 'first', alive: true, answer: 'ready' },
      { unit: 'second', alive: true, answer: 'ready' },
    ]);
    await carry(provisioner, 'restart', { ...both, units: ['second'] });
    const after = (await provisioner.units?.inspect(both)) ?? [];
    expect(after).toMatchObject([{ alive: true, pid: before[0]?.pid }, { alive: true }]);
    expect(after[1]?.pid).not.toBe(before[1]?.pid);
    await carry(provisioner, 'deprovision', both);
  });
});
