import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import type { Work } from '../../../src/broker/provisioner.ts';
import { instanceDirectory } from '../../../src/node/instance-directory.ts';
import { containers } from '../../../src/provisioners/process/containers/index.ts';
import {
  type ContainerEngine,
  noContainerEngine,
} from '../../../src/provisioners/process/containers/engine.ts';
import { docker } from '../../support/container-engine.ts';
import { portsWith } from '../process/fixed-ports.ts';
import { carry, following } from '../process/process-node.ts';
import { aContainerNode, type ContainerNode, describeEngines, redisWork } from './container-node.ts';

/** What goes wrong with containers and their engine, and what is there afterwards. */

describeEngines((openEngine) => {
  let testNode: ContainerNode;
  const made: Work[] = [];
  beforeAll(async () => {
    testNode = await aContainerNode(openEngine);
  });
  afterEach(async () => {
    for (const each of made.splice(0)) await carry(testNode.provisioner, 'deprovision', each);
    expect(names()).toEqual([]);
    expect(networks()).toEqual([]);
    expect(await testNode.provisioner.inventory?.()).toEqual([]);
  });
  afterAll(() => testNode.close());

  const list = (...words: readonly string[]) =>
    docker(testNode.engine.socket, ...words)
      .split('\n')
      .filter(Boolean);
  const names = () => list('ps', '-a', '--format', '{{.Names}}');
  const networks = () => list('network', 'ls', '--format', '{{.Name}}', '-f', 'label=purveyor.key');
  const on = (id: string, config: object = {}) => {
    const work = redisWork(id, testNode.plan(config));
    made.push(work);
    return work;
  };
  const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => undefined,
      (error: unknown) => error,
    );
  const look = async (work: Work) => {
    const [unit] = (await testNode.provisioner.units?.inspect(work)) ?? [];
    return unit;
  };

  /** The engine does what it was asked for the n-th time, and nobody hears of it. */
  function losing(n: number): { engine: ContainerEngine; isLost: () => boolean } {
    let deeds = 0;
    const { engine } = testNode.engine;
    return {
      isLost: () => deeds >= n,
      engine: {
        async ask(method, path, asking) {
          if (method !== 'GET' && deeds >= n) throw new Error('This broker is dead.');
          const answer = await engine.ask(method, path, asking);
          if (method !== 'GET') deeds += 1;
          if (method !== 'GET' && deeds >= n) throw new Error('This broker has died.');
          return answer;
        },
      },
    };
  }

  /** Goes on with what the dying broker had recorded: the first step it could not end. */
  async function dieAndGoOn(word: 'provision' | 'deprovision', work: Work, n: number): Promise<boolean> {
    const { engine, isLost } = losing(n);
    const dying = containers(testNode.settings, { engine });
    let now = work;
    for (;;) {
      const step = await dying[word](now).catch(() => undefined);
      if (step === undefined) break;
      if ('done' in step) return isLost();
      now = {
        ...now,
        memo: JSON.parse(JSON.stringify(step.again.memo)) as object as NonNullable<Work['memo']>,
      };
    }
    await carry(testNode.provisioner, word, now);
    return isLost();
  }

  test('A broker that dies at any request to the engine while it makes an instance is followed by one that ends it, with one container.', async () => {
    // The network, the container, its start.
    for (const n of [1, 2, 3]) {
      const work = on(`making-${n}`);
      expect(await dieAndGoOn('provision', work, n)).toBe(true);
      expect(names()).toHaveLength(n);
      expect(await look(work)).toMatchObject({ alive: true, answer: 'ready' });
    }
    expect(networks()).toHaveLength(3);
  });

  test('A broker that dies at any request to the engine while it removes an instance is followed by one that leaves nothing.', async () => {
    // The signal, the container, the network.
    for (const n of [1, 2, 3]) {
      const work = on(`removing-${n}`);
      const ready = following(work, await carry(testNode.provisioner, 'provision', work));
      expect(await dieAndGoOn('deprovision', ready, n)).toBe(true);
      expect(names()).toEqual([]);
      expect(networks()).toEqual([]);
    }
  });

  test('A broker that dies while it makes an instance leaves nothing that its removal does not find.', async () => {
    for (const n of [1, 2, 3]) {
      const work = on(`undone-${n}`);
      const { engine } = losing(n);
      const dying = containers(testNode.settings, { engine });
      expect(await failureOf(carry(dying, 'provision', work))).toMatchObject({
        message: 'This broker has died.',
      });
      await carry(testNode.provisioner, 'deprovision', work);
      expect([names(), networks()]).toEqual([[], []]);
    }
  });

  test('An engine that is killed is why nothing is known of an instance; when it is back the same program runs on.', async () => {
    const work = on('engine-away');
    const ready = following(work, await carry(testNode.provisioner, 'provision', work));
    const before = await look(ready);
    await testNode.engine.kill();
    expect(await look(ready)).toEqual({
      unit: 'redis',
      alive: false,
      answer: 'unasked',
      fault: 'the container engine does not answer',
    });
    // It is tried again, and is no failure.
    const away = await failureOf(carry(testNode.provisioner, 'deprovision', ready));
    expect(away).toMatchObject({
      name: 'Error',
      message: expect.stringContaining('does not answer') as string,
    });
    expect(await testNode.provisioner.inventory?.()).toHaveLength(1);
    await testNode.engine.start();
    expect(await look(ready)).toMatchObject({ alive: true, answer: 'ready', pid: before?.pid });
  });

  test('An instance that was stopped starts again with what it keeps, though its network went with those that nobody used.', async () => {
    const work = on('pruned');
    const ready = following(work, await carry(testNode.provisioner, 'provision', work));
    await carry(testNode.provisioner, 'stop', ready);
    // Docker takes it; Podman keeps it for the container that has ended.
    docker(testNode.engine.socket, 'network', 'prune', '-f');
    await carry(testNode.provisioner, 'start', ready);
    expect(await look(ready)).toMatchObject({ alive: true, answer: 'ready' });
    expect(networks()).toHaveLength(1);
  });

  test('An image that is not there, or not allowed, is a failure that says so, and nothing is made.', async () => {
    const absent = on('no-image', { image: 'purveyor-test/absent:1' });
    expect(await failureOf(carry(testNode.provisioner, 'provision', absent))).toMatchObject({
      word: 'no-image',
      hints: { detail: expect.stringContaining('has no image purveyor-test/absent:1') as string },
    });
    const { engine, image } = testNode.engine;
    const strict = containers(testNode.settings, { engine, images: ['registry.example.com/*'] });
    expect(await failureOf(carry(strict, 'provision', on('not-allowed')))).toMatchObject({
      word: 'image-not-allowed',
      hints: { detail: `NODE_IMAGES does not allow the image ${image}.` },
    });
    expect(strict.obstacle?.(testNode.plan())).toBe(`NODE_IMAGES does not allow the image ${image}`);
    const free = containers(testNode.settings, { engine, images: ['purveyor-test/*'] });
    expect(free.obstacle?.(testNode.plan())).toBeUndefined();
    expect(names()).toEqual([]);
  });

  test('A plan of containers without an image, or with a hook that would start them, has an obstacle.', () => {
    const { provisioner } = testNode;
    expect(provisioner.obstacle?.(testNode.plan({ image: undefined }))).toBe(
      'config has no image, and config.processes.redis has none either',
    );
    const hook = { run: ['true'], env: {}, once: false, timeout: 1 };
    expect(provisioner.obstacle?.(testNode.plan({}, { hooks: { start: hook } }))).toContain(
      'a hook for start has no use',
    );
    expect(provisioner.obstacle?.(testNode.plan({ ports: [] }))).toBe("config.ports has no 'main'");
  });

  test('A node without an engine says so, for each that would be made there.', async () => {
    const without = containers(testNode.settings, { engine: noContainerEngine });
    expect(await failureOf(carry(without, 'provision', on('no-engine')))).toMatchObject({
      word: 'no-engine',
      hints: { detail: 'This node has no container engine: NODE_CONTAINERS is not set.' },
    });
  });

  test('A container of a stranger that has the name is left alone.', async () => {
    const work = on('stranger');
    const like = on('like');
    await carry(testNode.provisioner, 'provision', like);
    const keys = [work, like].map(
      ({ instance }) => instanceDirectory(testNode.node, 'container', instance).base,
    );
    const [own = '', other = ''] = keys.map((base) => base.split('/').at(-1));
    const name = (names()[0] ?? '').replace(other, own);
    const { image, socket } = testNode.engine;
    docker(socket, 'create', '--name', name, image, 'sleep', '600');
    expect(await failureOf(carry(testNode.provisioner, 'provision', work))).toMatchObject({
      word: 'name-taken',
      hints: { detail: `The container ${name} was not made by this broker.` },
    });
    await carry(testNode.provisioner, 'deprovision', work);
    expect(names()).toContain(name);
    docker(socket, 'rm', name);
  });

  test('A container that could not have its port is left by the engine, and started when the port is free.', async () => {
    const { node, engine } = testNode;
    const port = 21_777;
    const settings = { node, ports: portsWith(port) };
    const work = on('port-taken');
    let stranger: Server | undefined;
    // Whoever takes it between the look and the start.
    const late = containers(settings, {
      engine: {
        async ask(method, path, asking) {
          if (path.endsWith('/start') && !stranger) {
            stranger = createServer();
            await new Promise<void>((listening) => stranger?.listen(port, node.bind, listening));
          }
          return engine.engine.ask(method, path, asking);
        },
      },
    });
    expect(await failureOf(carry(late, 'provision', work))).toMatchObject({ word: 'port-taken' });
    expect(names()).toHaveLength(1);
    await new Promise((closed) => stranger?.close(closed));
    await carry(late, 'provision', work);
    expect(await look(work)).toMatchObject({ alive: true });
  });

  test('Containers whose directory is gone are found by their labels, and purged.', async () => {
    const work = on('lost');
    await carry(testNode.provisioner, 'provision', work);
    const { base } = instanceDirectory(testNode.node, 'container', work.instance);
    const ready = { ...work };
    rmSync(base, { recursive: true });
    expect(await look(ready)).toMatchObject({ alive: false, fault: 'its directory on the node is gone' });
    const [found, ...more] = (await testNode.provisioner.inventory?.()) ?? [];
    expect(more).toEqual([]);
    expect(found).toMatchObject({ name: `containers ${found?.key}`, instanceId: 'lost' });
    if (found) for (let times = 0; times < 2; times += 1) await testNode.provisioner.purge?.(found);
    expect([names(), networks()]).toEqual([[], []]);
  });
});
