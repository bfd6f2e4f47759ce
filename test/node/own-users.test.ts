import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { memoryDatabase } from '../../src/stores/memory/index.ts';
import { removeInstanceDirectory } from '../../src/node/instance-directory.ts';
import { instanceContext } from '../../src/node/instance-context.ts';
import { releaseAccount, settleInstance } from '../../src/node/instance-account.ts';
import { runProgram } from '../../src/system/run-program.ts';
import { isAnythingOf } from '../../src/system/end-user.ts';
import type { Work } from '../../src/broker/provisioner.ts';
import { aPlan } from '../broker/fixtures.ts';
import { aWork } from '../provisioners/contract.ts';
import { openTestDatabase } from '../support/database.ts';
import { brokerMigrations } from '../../src/stores/postgres/broker-migrations.ts';
import { postgresPorts } from '../../src/stores/postgres/ports.ts';
import { postgresUsers } from '../../src/stores/postgres/users.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import { aTestNode, type TestNode } from './test-node.ts';

const asRoot = process.getuid?.() === 0 ? test : test.skip;

let testNode: TestNode;
afterEach(() => testNode.close());

/** Of an instance that is named by its id, as those of 0.1.0 were. */
function workOf(id: string): Work {
  const work = aWork({ plan: aPlan({ making: { provisioner: 'command' } }), instanceId: id });
  return { ...work, instance: { ...work.instance, key: undefined } };
}

asRoot(
  'A program of one instance reads nothing of another, nor signals it, and users are given back',
  async () => {
    testNode = await aTestNode({ users: 'any' });
    const first = testNode.node.users?.first ?? 0;
    // Two of them: a third instance finds none.
    const settings = { node: { ...testNode.node, users: { first, last: first + 1 } }, ...memoryDatabase() };
    const at = (id: string) => instanceContext(settings, 'command', workOf(id), []);
    const one = await settleInstance(at('one'), 'command');
    const two = await settleInstance(at('two'), 'command');
    expect(new Set([one, two].map(({ node }) => node.account?.uid)).size).toBe(2);
    await expect(settleInstance(at('three'), 'command')).rejects.toThrow('There is no room');
    expect(lstatSync(one.directory.data).uid).toBe(one.node.account?.uid);
    expect(at('one').node.account).toEqual(one.node.account);
    const run = (context: typeof one, script: string) =>
      runProgram(context.node, {
        command: ['sh', '-c', script],
        cwd: context.directory.data,
        env: { PATH: '/usr/bin:/bin' },
        timeoutMs: 30_000,
      });
    const own = await run(one, 'echo secret > mine; id -u; setsid sleep 600 >/dev/null 2>&1 & echo $!');
    const [pid = ''] = own.stdout
      .split('\n')
      .filter((line) => /^\d+$/.test(line) && Number(line) < 2_000_000_000);
    const attack = `cat ${one.directory.data}/mine; ls ${one.directory.base}; cat /proc/${pid}/environ; kill ${pid}; kill -9 -1; id -u`;
    const tried = await run(two, attack);
    expect(tried.stdout.trim()).toBe(String(two.node.account?.uid));
    expect(one.node.account && isAnythingOf(one.node.account)).toBe(true);
    await removeInstanceDirectory(testNode.node, 'command', { id: 'one', key: undefined });
    await releaseAccount(settings, 'one');
    expect(one.node.account && isAnythingOf(one.node.account)).toBe(false);
    const three = await settleInstance(at('three'), 'command');
    expect(three.node.account).toEqual(one.node.account);
  },
);

asRoot('A broker that is killed when it has taken a user takes the same for the instance again', async () => {
  testNode = await aTestNode({ users: 'any' });
  const { name, host, bind, directory, users, path, catalogDirs, account, isolation } = testNode.node;
  const node = { name, host, bind, directory, users, path, catalogDirs, account, isolation };
  const database = await openTestDatabase();
  try {
    await migrate(database.pool, [brokerMigrations]);
    const taken = async () =>
      (await database.pool.query<{ uid: string }>('select uid from node_users')).rows.map(({ uid }) =>
        Number(uid),
      );
    const facts = join(testNode.place, 'facts.json');
    const work = workOf('killed');
    writeFileSync(facts, JSON.stringify({ node, work, config: database.config }), { mode: 0o600 });
    const script = join(import.meta.dirname, 'dying-between.ts');
    const before = [];
    for (const _time of [1, 2]) {
      expect(spawnSync(process.execPath, [script, facts], { encoding: 'utf8' })).toMatchObject({
        signal: 'SIGKILL',
      });
      before.push(await taken());
    }
    const settings = { node, ports: postgresPorts(database.pool), users: postgresUsers(database.pool) };
    const context = instanceContext(settings, 'command', work, []);
    expect(existsSync(context.directory.base)).toBe(false);
    const settled = await settleInstance(context, 'command');
    expect([...before, await taken()]).toEqual(Array(3).fill([settled.node.account?.uid]));
    expect(lstatSync(settled.directory.data).uid).toBe(settled.node.account?.uid);
  } finally {
    await database.close();
  }
});

asRoot('A user whose directory is on the node is passed over, whatever the database knows', async () => {
  testNode = await aTestNode({ users: 'any' });
  const first = testNode.node.users?.first ?? 0;
  const node = { ...testNode.node, users: { first, last: first + 1 } };
  const settle = async (id: string) => {
    // A database that knows of nothing: it was lost, and the node was not.
    const context = instanceContext({ node, ...memoryDatabase() }, 'command', workOf(id), []);
    return (await settleInstance(context, 'command')).node.account?.uid;
  };
  expect(new Set([await settle('one'), await settle('two')])).toEqual(new Set([first, first + 1]));
  await expect(settle('three')).rejects.toThrow('There is no room');
});

asRoot('A user is given again as soon as its directory is gone, when no other is left', async () => {
  testNode = await aTestNode({ users: 'any' });
  const first = testNode.node.users?.first ?? 0;
  const node = { ...testNode.node, users: { first, last: first } };
  for (const id of ['one', 'two', 'three']) {
    const context = instanceContext({ node, ...memoryDatabase() }, 'command', workOf(id), []);
    expect((await settleInstance(context, 'command')).node.account?.uid).toBe(first);
    await removeInstanceDirectory(node, 'command', context.work.instance);
  }
});
