// Small nodes through OSB: directories with volumes, a pool of one port, needs, executables in the manner of cf-usb.
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { common, planOf, tiny, type Offering } from './offerings.ts';
import { openOneNode, pathOf, processesOf, type Bought, type Maker, type OneNode } from './one-node.ts';
import { until } from '../../support/until.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';

const own = (name: string) => `${name}-${process.pid}`;
const small = (offering: string): Bought => ({ offering, plan: 'small' });
const roots = scratchDirectory('roots');
const rootNames = ['a', 'b'].map((name) => join(roots, name));
const shared = own('shared');

const folder: Offering = {
  ...common('folder', [planOf('folder', 'small')], 'directory'),
  requires: ['volume_mount'],
  config: { roots: rootNames },
  credentials: { path: '{{dir.data}}' },
  volume_mounts: [
    {
      driver: 'local',
      container_dir: '/data',
      mode: 'rw',
      device_type: 'shared',
      device: { volume_id: '{{instance.key}}', mount_config: { source: '{{dir.data}}' } },
    },
  ],
};
/** Every hook notes when it was called, and for what. */
const dependent = (name: string, needs: object): Offering => ({
  ...common(name, [planOf(name, 'small')], 'command'),
  requires_offerings: { source: needs },
  config: {},
  hooks: { remove: { run: ['./hooks/needs/note'], env: { NOTE: join(roots, 'order') } } },
  credentials: { from: '{{deps.source.name}}' },
});
const source: Offering = {
  ...common('source', [planOf('source', 'small')], 'command'),
  config: {},
  hooks: { remove: { run: ['./hooks/needs/note'], env: { NOTE: join(roots, 'order') } } },
  credentials: { name: '{{instance.key}}' },
};
/** A workspace for each instance and a connection for each binding, as files of a folder that stands for a server. */
const workspace: Offering = {
  ...common('workspace', [planOf('workspace', 'small')], 'command'),
  parameters: { word: { type: 'string', default: '' }, exit: { type: 'integer', default: 0 } },
  secrets: { password: { per: 'instance', length: 24 } },
  config: {},
  hooks: Object.fromEntries(
    ['prepare', 'remove', 'bind', 'unbind'].map((hook) => [
      hook,
      { run: [`./hooks/workspace/${hook}`, '{{instance.key}}', '{{params.exit}}'], timeout: '8s' },
    ]),
  ),
  credentials: { workspace: '{{outputs.prepare.name}}', connection: '{{outputs.bind.user}}' },
};
const server = join(roots, 'server');
const hooks = {
  'needs/note': 'echo "$PURVEYOR_INSTANCE" >> "$NOTE"',
  'workspace/prepare': `cat > "${server}/$1.json"; [ "$2" = 9 ] && sleep 60; echo "no licence for $1" >&2
    [ "$2" = 8 ] && { echo "this is not JSON"; exit 0; }; echo '{"name": "'"$1"'"}'; exit "$2"`,
  'workspace/remove': `rm -f "${server}/$1"*`,
  'workspace/bind': `read -r input; user=$(printf %s "$input" | sed 's/.*"binding":{"id":"\\([^"]*\\)".*/\\1/')
    touch "${server}/$1-$user"; printf '{"user": "%s"}' "$user"`,
  'workspace/unbind': `rm -f "${server}/$1-"*`,
};

let oneNode: OneNode;
let broker: Maker;
beforeAll(async () => {
  chmodSync(roots, 0o755);
  for (const path of [...rootNames, server]) mkdirSync(path);
  // Hooks of each instance run as another user where the broker is root.
  for (const path of [server, roots]) chmodSync(path, 0o777);
  writeFileSync(join(roots, 'order'), '');
  chmodSync(join(roots, 'order'), 0o666);
  oneNode = await openOneNode(
    [
      tiny('tiny'),
      folder,
      source,
      workspace,
      dependent('dedicated', { offering: 'source', plan: 'small' }),
      dependent('sharing', { offering: 'source', instance: shared }),
    ],
    hooks,
  );
  broker = await oneNode.start({ NODE_PORTS: '21990-21990' });
});
afterAll(async () => {
  await oneNode.close();
});

async function make(id: string, offering: string, parameters?: object): Promise<void> {
  const { status, body } = await broker.provision(id, small(offering), parameters);
  expect([status, body['description']]).toEqual([201, undefined]);
}

async function credentials(id: string, offering: string, binding?: string): Promise<Record<string, string>> {
  const { body } = await broker.bind(id, small(offering), binding);
  return body['credentials'] as Record<string, string>;
}

async function remove(id: string, offering: string): Promise<number> {
  return (await broker.deprovision(id, small(offering))).status;
}

test('Directories are made under the roots in turn, and bindings mount the same path [S12].', async () => {
  const ids = [1, 2, 3, 4].map((n) => own(`folder-${n}`));
  const paths: string[] = [];
  for (const id of ids) {
    await make(id, 'folder');
    const [one, other] = await Promise.all([
      broker.bind(id, small('folder'), 'x'),
      broker.bind(id, small('folder'), 'y'),
    ]);
    const { path = '' } = one.body['credentials'] as Record<string, string>;
    expect(other.body['credentials']).toEqual({ path });
    for (const bound of [one, other])
      expect(bound.body['volume_mounts']).toMatchObject([
        { driver: 'local', mode: 'rw', device: { mount_config: { source: path } } },
      ]);
    paths.push(path);
  }
  const used = paths.map((path) => rootNames.find((root) => path.startsWith(`${root}/`)) ?? path);
  expect(used.toSorted()).toEqual([...rootNames, ...rootNames].toSorted());
  expect(used[0]).not.toBe(used[1]);
  writeFileSync(join(paths[0] ?? '', 'file'), 'kept');
  for (const id of ids) expect(await remove(id, 'folder')).toBe(200);
  expect(paths.filter((path) => existsSync(path) || existsSync(dirname(path)))).toEqual([]);
});

test('In a pool of one port, the port that was given back is taken again when it has rested [S4].', async () => {
  const [first, second] = [own('port-1'), own('port-2')];
  await make(first, 'tiny');
  expect((await broker.provision(second, small('tiny'))).status).toBe(500);
  expect(await remove(first, 'tiny')).toBe(200);
  await oneNode.database.pool.query(`update node_ports set free_at = free_at - interval '61 seconds'`);
  await make(second, 'tiny');
  expect((await credentials(second, 'tiny'))['port']).toBe(21_990);
  expect(await remove(second, 'tiny')).toBe(200);
});

describe('What an instance needs', () => {
  const order = () => readFileSync(join(roots, 'order'), 'utf8').trim().split('\n');

  test('What an instance needs is made with it when it is its own, and removed after it [A13].', async () => {
    const id = own('dedicated');
    await make(id, 'dedicated');
    const all = (await broker.operate('GET', '/instances')).body['instances'] as readonly {
      readonly id: string;
      readonly parent?: string;
    }[];
    const child = all.find(({ parent }) => parent === id)?.id ?? '';
    expect((await credentials(id, 'dedicated'))['from']).toMatch(/^p[0-9a-f]{20}$/);
    expect(await remove(child, 'source')).toBe(400);
    expect(await remove(id, 'dedicated')).toBe(200);
    expect(order()).toEqual([id, child]);
  });

  test('What an instance needs must be there when it is shared, and cannot go before those that need it [A14].', async () => {
    const id = own('sharing');
    const refused = await broker.provision(id, small('sharing'));
    expect([refused.status, refused.body['description']]).toEqual([400, expect.stringContaining(shared)]);
    expect((await broker.ask('GET', pathOf(id))).status).toBe(404);
    await make(shared, 'source');
    await make(id, 'sharing');
    const kept = await broker.deprovision(shared, small('source'));
    expect([kept.status, kept.body['description']]).toEqual([400, expect.stringContaining(id)]);
    expect(await remove(id, 'sharing')).toBe(200);
    expect(await remove(shared, 'source')).toBe(200);
    expect(oneNode.keys('command')).toEqual([]);
  });
});

describe('Executables make', () => {
  const file = (name: string) => join(server, name);

  test('Executables make a workspace for each instance and a connection for each binding, many at once [U1, U2, U4].', async () => {
    const word = 'blanks, "quotes", $(touch pwned) and\nlines';
    const ids = [1, 2, 3, 4, 5].map((n) => own(`workspace-${n}`));
    await Promise.all(ids.map((id) => make(id, 'workspace', { word: `${word} ${id}` })));
    const bound = await Promise.all(ids.map((id) => credentials(id, 'workspace', `user-of-${id}`)));
    for (const [n, id] of ids.entries()) {
      const { workspace: name = '', connection } = bound[n] ?? {};
      expect(connection).toBe(`user-of-${id}`);
      const told = JSON.parse(readFileSync(file(`${name}.json`), 'utf8')) as {
        parameters: object;
        instance: object;
      };
      expect(told).toMatchObject({ parameters: { word: `${word} ${id}` }, instance: { id } });
      expect(existsSync(file(`${name}-user-of-${id}`))).toBe(true);
    }
    expect(new Set(bound.map(({ workspace: name }) => name)).size).toBe(ids.length);
    expect(await Promise.all(ids.map((id) => remove(id, 'workspace')))).toEqual(ids.map(() => 200));
    expect(bound.filter(({ workspace: name }) => existsSync(file(`${name}.json`)))).toEqual([]);
  });

  test.each([
    ['exits with 3', 3, /\(exit code 3\): no licence for/],
    ['writes what is no JSON', 8, /no JSON object/],
    ['takes too long', 9, /ended after its limit of 8 s/],
  ] as const)(
    'Executables make nothing when one %s, and the reason is told [U3, A11].',
    async (_what, exit, reason) => {
      const id = own(`failed-${exit}`);
      const { status, body } = await broker.provision(id, small('workspace'), { exit });
      expect([status, body['description']]).toEqual([500, expect.stringMatching(reason)]);
      expect(JSON.stringify(body)).not.toContain('this is not JSON');
      await until('nothing of it runs', () => processesOf(id).length === 0);
      expect(oneNode.keys('command')).toEqual([]);
      expect(await remove(id, 'workspace')).toBe(200);
    },
  );
});
