import type { Pool } from 'pg';
import type { Demand, NodeProfile, Nodes, Ports, Room, Users } from '../../../src/broker/nodes.ts';
import type { Orphans } from '../../../src/broker/orphans.ts';
import type { ServiceInstance } from '../../../src/broker/records.ts';
import type { Placement, Store } from '../../../src/broker/store.ts';
import { memoryDatabase } from '../../../src/stores/memory/index.ts';
import { postgresNodes } from '../../../src/stores/postgres/nodes.ts';
import { postgresOrphans } from '../../../src/stores/postgres/orphans.ts';
import { postgresPorts } from '../../../src/stores/postgres/ports.ts';
import { postgresUsers } from '../../../src/stores/postgres/users.ts';
import { begun, claim, heldFromBirth, open, provisioning, readInstance } from './steps.ts';

/** All that is remembered in one place. */
export interface Remembered {
  readonly store: Store;
  readonly nodes: Nodes;
  readonly ports: Ports;
  readonly users: Users;
  readonly orphans: Orphans;
  /** The same as another broker has it, which shares nothing with this one but the place. */
  readonly elsewhere: () => Remembered;
  /** Lets so many milliseconds go by. */
  readonly pass: (ms: number) => Promise<void>;
}

/** What every store must do. `makeStore` gives an empty one for each test. */
export type MakeStore = () => Store | Promise<Store>;

/** What every store must do together with the nodes, ports and orphans that it remembers. */
export type MakeRemembered = () => Remembered | Promise<Remembered>;

export function rememberedInMemory(wrap = (store: Store): Store => store): Remembered {
  let ahead = 0;
  const { store, ...rest } = memoryDatabase(() => new Date(Date.now() + ahead));
  const remembered: Remembered = {
    ...rest,
    store: wrap(store),
    elsewhere: () => remembered,
    pass: async (ms) => void (ahead += ms),
  };
  return remembered;
}

/** @param there another store on the same database */
export function rememberedInPostgres(pool: Pool, here: Store, there: Store): Remembered {
  return {
    store: here,
    nodes: postgresNodes(pool),
    ports: postgresPorts(pool),
    users: postgresUsers(pool),
    orphans: postgresOrphans(pool),
    elsewhere: () => rememberedInPostgres(pool, there, here),
    async pass(ms) {
      const columns = [
        'nodes.beat_at',
        'node_ports.free_at',
        'node_users.free_since',
        'orphan_suspects.first_seen_at',
      ];
      for (const [table, column] of columns.map((name) => name.split('.'))) {
        await pool.query(`update ${table} set ${column} = ${column} - $1 * interval '1 ms'`, [ms]);
      }
      await pool.query(`update orphan_suspects set last_seen_at = last_seen_at - $1 * interval '1 ms'`, [ms]);
    },
  };
}

/** Two brokers, to whom the many who ask at once turn. */
export function brokersOf(remembered: Remembered): (n: number) => Remembered {
  const other = remembered.elsewhere();
  return (n) => (n % 2 ? other : remembered);
}

const emptiedTables = [
  'nodes',
  'node_ports',
  'node_users',
  'service_bindings',
  'service_instances',
  'operations',
  'plan_revisions',
  'orphan_suspects',
  'backups',
];

/**
 * All rows of a database away, with those that are of them. They are deleted: to truncate tables costs a dozen times
 * as much, since each of their files and those of their indexes is made anew. The locks wait for who still writes.
 */
export async function empty(pool: Pool): Promise<void> {
  const deletions = emptiedTables.map((table) => `delete from ${table}`);
  await pool.query(`lock table ${emptiedTables.join(', ')}; ${deletions.join('; ')}`);
}

export function aProfile(rest: Partial<NodeProfile> = {}): NodeProfile {
  return {
    name: 'n1',
    host: '127.0.0.1',
    url: 'http://127.0.0.1:8080',
    directory: '/var/lib/purveyor',
    ports: { first: 20_000, last: 20_099 },
    capacity: 3,
    executables: ['redis-server', 'memcached'],
    isolation: 'accounts',
    allowsUnisolated: false,
    ...rest,
  };
}

/** A node that has just told of itself. */
export async function aNodeIn({ nodes }: Remembered, rest: Partial<NodeProfile> = {}): Promise<NodeProfile> {
  const profile = aProfile(rest);
  expect(await nodes.beat(profile, `broker-${profile.name}`, `machine-${profile.name}`)).toBe(true);
  return profile;
}

export function aRoom(rest: Partial<Room> = {}): Room {
  return { cost: 1, executables: [], runsPrograms: false, ...rest };
}

/** What a placement came to: the node, what there was not enough of, or 'stale'. */
export function said(placement: Placement): string {
  if (placement === 'stale') return 'stale';
  return 'short' in placement ? placement.short.of : String(placement.placed.place?.node);
}

/** Asks for a place for a new instance, as a broker does that would carry it by itself. */
export function placeOne(
  { store }: Remembered,
  rest: Partial<ServiceInstance> = {},
  demand: Demand = { room: aRoom() },
): Promise<Placement> {
  return store.place(provisioning({ ready: false, ...rest }, heldFromBirth('provision')), demand);
}

/** A ready instance on a node. */
export async function aPlacedInstance(
  remembered: Remembered,
  rest: Partial<ServiceInstance> = {},
  demand?: Demand,
): Promise<ServiceInstance> {
  const placement = await placeOne(remembered, rest, demand);
  if (placement === 'stale' || 'short' in placement)
    throw new Error(`It was not placed: ${said(placement)}.`);
  const held = await claim(remembered.store, 'worker', 0, placement.placed.place?.node);
  await remembered.store.settle(held, { instance: { put: { ...placement.placed, ready: true } } });
  return readInstance(remembered.store, rest.id);
}

/** Opens the removal of an instance and carries it to its end. */
export async function removeIn({ store }: Remembered, instance: ServiceInstance): Promise<void> {
  const operation = begun('deprovision', { instanceId: instance.id });
  await open(store, { operation, leaseMs: 0, instance: { put: instance } });
  const held = await claim(store, 'worker', 0, instance.place?.node);
  expect(await store.settle(held, { instance: { remove: held.instance } })).toBe(true);
}
