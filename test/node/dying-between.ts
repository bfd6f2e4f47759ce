// Takes a user for an instance and is killed before anything of it is made.
import { readFileSync } from 'node:fs';
import { Pool, type PoolConfig } from 'pg';
import { settleInstance } from '../../src/node/instance-account.ts';
import { instanceContext } from '../../src/node/instance-context.ts';
import type { Work } from '../../src/broker/provisioner.ts';
import type { LocalNode } from '../../src/node/local-node.ts';
import { postgresPorts } from '../../src/stores/postgres/ports.ts';
import { postgresUsers } from '../../src/stores/postgres/users.ts';

const { node, work, config } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as {
  readonly node: LocalNode;
  readonly work: Work;
  readonly config: PoolConfig;
};
const pool = new Pool(config);
const users = postgresUsers(pool);
const dying = {
  ...users,
  async take(...asked: Parameters<typeof users.take>) {
    const uid = await users.take(...asked);
    process.kill(process.pid, 'SIGKILL');
    return uid;
  },
};
await settleInstance(
  instanceContext({ node, ports: postgresPorts(pool), users: dying }, 'command', work, []),
  'command',
);
