import { dirname } from 'node:path';
import type { Work } from '../../../src/broker/provisioner.ts';
import { containers } from '../../../src/provisioners/process/containers/index.ts';
import { containerEngine } from '../../../src/provisioners/process/containers/engine.ts';
import { imagePull } from '../../../src/provisioners/process/containers/pull.ts';
import { docker } from '../../support/container-engine.ts';
import { aTestRegistry, hasRegistry, type TestRegistry } from '../../support/image-registry.ts';
import { carry, following } from '../process/process-node.ts';
import { aContainerNode, type ContainerNode, describeContainers, redisWork } from './container-node.ts';

/** Where images of containers come from, and which of them an instance has, with a real registry. */

if (!hasRegistry) process.stderr.write('The tests of images are skipped: there is no docker-registry.\n');
const describeImages = hasRegistry ? describeContainers : describe.skip;

describeImages('With a registry of images,', () => {
  let testNode: ContainerNode;
  let registry: TestRegistry;
  let image: string;
  const made: Work[] = [];
  const ending = new AbortController();
  const run = (...words: readonly string[]) =>
    docker(testNode.engine.socket, '--config', dirname(registry.logins), ...words);
  beforeAll(async () => {
    [testNode, registry] = await Promise.all([aContainerNode(), aTestRegistry()]);
    image = `${registry.name}/data/redis:7`;
  });
  afterEach(async () => {
    for (const each of made.splice(0)) await carry(testNode.provisioner, 'deprovision', each);
  });
  afterAll(async () => {
    ending.abort();
    await registry.stop();
    await testNode.close();
  });

  const on = (id: string, config: object = {}) => {
    const work = redisWork(id, testNode.plan({ image, ...config }));
    made.push(work);
    return work;
  };
  const fetching = (logins: string | undefined = registry.logins) => {
    const { engine } = testNode.engine;
    const images = [`${registry.name}/data/*`];
    return containers(testNode.settings, {
      engine,
      images,
      pull: imagePull(engine, logins, ending.signal),
    });
  };
  /** The engine's own image with a label of its own, under this name at the registry and no more here. */
  const publish = (name: string, version: string) => {
    const container = run('create', testNode.engine.image, 'sleep').trim();
    run('commit', '--change', `LABEL version=${version}`, container, name);
    run('rm', container);
    run('push', '-q', name);
    run('rmi', '-f', name);
  };
  const versionOf = (id: string) => {
    const [container = ''] = run('ps', '-q', '--filter', `label=purveyor.instance=${id}`).split('\n');
    return run('inspect', '--format', '{{index .Config.Labels "version"}}', container).trim();
  };

  test('Images of what is on sale are fetched ahead; an instance keeps the one that it was made from when the name moves on, also when the engine has lost it.', async () => {
    publish(image, 'one');
    const provisioner = fetching();
    expect(await provisioner.concerns?.(testNode.plan({ image }))).toEqual([]);
    expect(run('images', '-q', image)).not.toBe('');
    const first = on('first');
    const ready = following(first, await carry(provisioner, 'provision', first));
    expect(versionOf('first')).toBe('one');

    publish(image, 'two');
    expect(await provisioner.concerns?.(testNode.plan({ image }))).toEqual([]);
    const second = on('second');
    await carry(provisioner, 'provision', second);
    expect(versionOf('second')).toBe('two');

    // All of the first is taken away; only the digest is left.
    run('rm', '-f', ...run('ps', '-aq', '--filter', 'label=purveyor.instance=first').trim().split('\n'));
    for (const digest of run(
      'images',
      '--digests',
      '--format',
      '{{.Digest}} {{.Tag}}',
      `${registry.name}/data/redis`,
    ).split('\n'))
      if (digest.endsWith('<none>'))
        run('rmi', '-f', `${registry.name}/data/redis@${digest.split(' ')[0] ?? ''}`);
    await carry(provisioner, 'start', ready);
    expect(versionOf('first')).toBe('one');
  });

  test('An image that the registry does not have, or gives to nobody without a login, is a failure with the reason, without the password.', async () => {
    const absent = `${registry.name}/data/absent:1`;
    const failure = await failureOf(carry(fetching(), 'provision', on('absent', { image: absent })));
    expect(failure).toMatchObject({
      word: 'no-image',
      hints: { detail: expect.stringContaining(`The image ${absent} could not be fetched: `) as string },
    });
    expect(await fetching().concerns?.(testNode.plan({ image: absent }))).toEqual([
      expect.stringContaining(absent),
    ]);
    const stranger = `${registry.name}/data/secret:1`;
    publish(stranger, 'secret');
    const refused = await failureOf(
      carry(fetching('/dev/null'), 'provision', on('no-login', { image: stranger })),
    );
    expect(refused).toMatchObject({ word: 'no-image' });
    expect(JSON.stringify([failure, refused])).not.toContain('letmein');
    await carry(fetching(), 'provision', on('login', { image: stranger }));
    expect(versionOf('login')).toBe('secret');
  });

  test('A registry that is away is tried again; what is not allowed is never asked for.', async () => {
    const missing = `${registry.name}/data/missing:1`;
    await registry.stop();
    try {
      expect(await failureOf(carry(fetching(), 'provision', on('away', { image: missing })))).toMatchObject({
        name: 'Error',
        message: expect.stringContaining('could not be fetched') as string,
      });
    } finally {
      await registry.start();
    }
    const elsewhere = `${registry.name}/other/redis:7`;
    expect(
      await failureOf(carry(fetching(), 'provision', on('elsewhere', { image: elsewhere }))),
    ).toMatchObject({
      word: 'image-not-allowed',
    });
  });

  test('An engine that does not answer is told once to the operator of its node, as is an image that nobody fetches.', async () => {
    const { engine } = testNode.engine;
    const without = containers(testNode.settings, { engine });
    expect(await without.concerns?.(testNode.plan({ image: 'nobody/fetches:1' }))).toEqual([
      'The container engine has no image nobody/fetches:1. Load it with docker pull, load or import.',
    ]);
    const nowhere = containers(testNode.settings, { engine: containerEngine('/nowhere/docker.sock') });
    expect(await nowhere.concerns?.(testNode.plan())).toEqual([
      'The container engine at /nowhere/docker.sock does not answer (ENOENT).',
    ]);
  });
});

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
