import { randomUUID } from 'node:crypto';
import { Pool, type PoolConfig } from 'pg';
import { createBroker } from '../../src/broker/broker.ts';
import { newOperation } from '../../src/broker/operations/intent.ts';
import type { Provisioner } from '../../src/broker/provisioner.ts';
import { postgresStore } from '../../src/stores/postgres/index.ts';
import { postgresUsers } from '../../src/stores/postgres/users.ts';
import { postgresNodes } from '../../src/stores/postgres/nodes.ts';
import { postgresOrphans } from '../../src/stores/postgres/orphans.ts';
import { startWorker } from '../../src/program/loops/worker.ts';
import { anInstance, aPlan } from '../broker/fixtures.ts';

const operations = 200;

/**
 * Milliseconds from the commit of an operation that nobody holds to its first step in a worker, sorted: the
 * way of everything that goes on beside requests.
 */
export async function measureQueue(connection: PoolConfig): Promise<number[]> {
  const pool = new Pool(connection);
  const store = postgresStore(pool, { listener: connection, onTrouble: () => undefined });
  const plan = aPlan({ revision: `bench-${randomUUID()}` });
  await store.saveRevisions([plan]);
  const started = new Map<string, () => void>();
  const deps = {
    store,
    nodes: postgresNodes(pool),
    users: postgresUsers(pool),
    orphans: postgresOrphans(pool),
    peer: () => {
      throw new Error('There is no other node.');
    },
    seals: { seal: () => '', open: () => undefined },
    hidden: () => [],
    inventories: () => [],
    catalog: () => ({ offerings: [], loadedAt: new Date() }),
    revive: () => plan,
    provisioner: () => timing(started),
    observe: () => undefined,
    newId: () => randomUUID(),
    newSecret: () => 'secret',
    now: () => new Date(),
    uptime: () => performance.now(),
    settings: { url: '', holder: 'bench', asyncPatience: 0, syncPatience: 0, lease: 15_000, retention: 1e9 },
  };
  const { work } = createBroker(deps);
  const worker = startWorker({ work, concurrency: 10, observe: () => undefined });
  const stopListening = store.listen((hint) => 'due' in hint && worker.wake());
  const waits: number[] = [];
  for (let turn = 0; turn < operations; turn += 1) {
    const instance = anInstance({
      id: `queue-${randomUUID()}`,
      version: 0,
      revision: plan.revision,
      ready: false,
    });
    const operation = newOperation(deps, plan, 'provision', {
      instanceId: instance.id,
      origin: { protocol: 'bench' },
    });
    const begun = new Promise<void>((resolve) => started.set(instance.id, resolve));
    await store.open({ operation, leaseMs: 0, instance: { put: instance } });
    const opened = performance.now();
    await begun;
    waits.push(performance.now() - opened);
  }
  await worker.stop(5000);
  await stopListening();
  await pool.end();
  return waits.toSorted((a, b) => a - b);
}

function timing(started: ReadonlyMap<string, () => void>): Provisioner {
  return {
    name: 'scripted',
    traits: { config: {}, roots: [], selfContained: false },
    async provision({ instance }) {
      started.get(instance.id)?.();
      return { done: {} };
    },
    deprovision: async () => ({ done: undefined }),
  };
}
