// What brokers do without being asked, each as one turn of its loop.
import type { Pool } from 'pg';
import type { Store } from '../../src/broker/store.ts';
import { backupTurns, type BackupTurns } from '../../src/program/backups/turns.ts';
import { postgresStore } from '../../src/stores/postgres/index.ts';
import { postgresOrphans } from '../../src/stores/postgres/orphans.ts';
import type { Place } from './place.ts';
import { sample, summed, timed, type Measured, type Pair } from './samples.ts';
import { idOf } from './world.ts';

const day = 86_400_000;
/** Rows of history that are old enough to go. */
const old = 5000;
const node = 'gone-1';

interface Loops {
  readonly store: Store;
  readonly orphans: ReturnType<typeof postgresOrphans>;
  readonly backups: BackupTurns;
  readonly pool: Pool;
}

const things = Array.from({ length: 100 }, (_, at) => ({
  name: `thing-${at}`,
  instanceId: idOf(at + 1),
  key: `p${at}`,
}));

const backedUp = { offeringId: 'folders', planId: 'folders-plan', every: 365 * day };

const turns: Readonly<Record<string, (loops: Loops) => Promise<unknown>>> = {
  'claim where something is due': ({ store }) => store.claim('scale', 1, node),
  'claim where nothing is': ({ store }) => store.claim('scale', 1, 'no-such'),
  'when something is due next': ({ store }) => store.nextDue(undefined),
  'claim of a look at units': ({ store }) => store.claimUnitCheck(undefined),
  'when a look is due next': ({ store }) => store.nextUnitCheck(undefined),
  'expired bindings': ({ store }) => store.expired(10),
  'deleted instances that were kept enough': ({ store }) => store.keptEnough(10),
  'round of orphans, 100 things': ({ orphans }) => orphans.look({ provisioner: 'postgres' }, things),
  'instances of a plan get turns of backups, a page': ({ backups }) => backups.enter(backedUp),
  'backups that have had their time, a page': ({ backups }) =>
    backups.expired([{ planId: 'folders-plan', count: 3 }]),
  'claim of a backup that is due': ({ backups }) => backups.claim([{ ...backedUp, every: 60_000 }], 1),
  'claim of a backup where none is due': ({ backups }) => backups.claim([backedUp], 1),
  'pruning where nothing is old': ({ store }) => store.prune(365 * day),
  'pruning of the audit trail where nothing is old': ({ store }) => store.audit.prune(365 * day, 1000),
};

const prunings: typeof turns = {
  [`pruning of ${old} operations`]: ({ store }) => store.prune(365 * day),
  [`pruning of ${old} entries of the audit trail`]: ({ store }) => store.audit.prune(365 * day, old),
};

export async function measureLoops([few, many]: Pair<Place>): Promise<readonly Measured[]> {
  const loops = [loopsOf(few), loopsOf(many)] as const;
  for (const { pool } of loops) for (const text of due) await pool.query(text);
  const all: Measured[] = [];
  for (const [name, turn] of Object.entries(turns))
    all.push(await sample(name, [() => turn(loops[0]), () => turn(loops[1])]));
  for (const { pool } of loops) for (const text of aged) await pool.query(text, [old]);
  // Once only: afterwards they are gone.
  for (const [name, turn] of Object.entries(prunings))
    all.push(summed(name, [[await timed(() => turn(loops[0]))], [await timed(() => turn(loops[1]))]]));
  return all;
}

function loopsOf({ pool }: Place): Loops {
  return { pool, store: postgresStore(pool), orphans: postgresOrphans(pool), backups: backupTurns(pool) };
}

/** As many of both, among the first thousand. */
const due = [
  `update instance_checks set due_at = now() - interval '1 second' where instance_id in
    (select md5(n::text) from generate_series(9, 1000, 10) n)`,
  `update service_bindings set expires_at = now() - interval '1 second' where instance_id in
    (select md5(n::text) from generate_series(5, 1000, 50) n)`,
];

const aged = [
  `insert into operations (id, kind, instance_id, offering_id, plan_id, state, attempt, failures, origin, confidential,
    created_at, finished_at, due_at, deadline)
  select 'aged-' || n, 'provision', 'aged-' || n, 'echoes', 'echoes-plan', 'succeeded', 1, 0, '{}', '{}', at, at, at, at
  from generate_series(1, $1::integer) n, lateral (select now() - interval '400 days' as at) t`,
  `insert into audit_trail (id, at, broker, protocol, verb, object_kind, instance_id, outcome, ended_at, confidential)
  select 'aged-' || n, now() - interval '400 days', 'broker', 'osb', 'provision', 'instance', 'aged-' || n, 'succeeded',
    now(), '{}' from generate_series(1, $1::integer) n`,
];
