// What may happen to three brokers and their database.
import { setTimeout as pause } from 'node:timers/promises';
import type { Chance } from '../fuzz/random.ts';
import type { Cluster } from './cluster.ts';
import { offeringNames, writeOffering } from './offerings.ts';
import { brokerStrikes, leaseMs } from './slot.ts';

type Strike = (cluster: Cluster, chance: Chance) => Promise<void>;

/** Each ends when all is as before, but for what goes on by itself. */
export const strikes: Readonly<Record<string, Strike>> = {
  ...brokerStrikes,
  async 'brokers are replaced one by one'({ slots }) {
    for (const slot of slots) {
      await slot.end('SIGTERM');
      await slot.start();
    }
  },
  async 'Postgres is killed and comes back'(cluster) {
    cluster.killPostgres();
    await pause(2000);
  },
  async 'connections are ended by Postgres'({ pool }, chance) {
    await pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name in ('one', 'two', 'three') and pid % $1 = 0`,
      [1 + chance.below(3)],
    );
  },
  async 'connections are reset on their way'({ way }, chance) {
    way.reset(1 + chance.below(3));
  },
  async 'nothing gets through to Postgres for a while'({ way }, chance) {
    way.stall(true);
    await pause(500 + chance.below(2 * leaseMs));
    way.stall(false);
  },
  async 'connections are cut within a statement'({ way }) {
    way.cut();
  },
  async 'the catalog is edited'({ catalogDir }, chance) {
    writeOffering(catalogDir, chance.of(offeringNames), `Edited ${chance.below(1000)} times`);
  },
};
