// What may happen to three brokers and their database.
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { codeOf } from '../../src/system/error-code.ts';
import type { Chance } from '../fuzz/random.ts';
import type { Cluster } from './cluster.ts';
import { until } from '../support/until.ts';
import { hangFile, offeringNames, writeOffering } from './offerings.ts';
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
  async 'connections are ended by Postgres'(cluster, chance) {
    await cluster.tell(
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
  async 'Postgres only reads for a while'(cluster, chance) {
    for (const value of ['on', 'off']) {
      await cluster.tell(`alter system set default_transaction_read_only = ${value}`);
      await cluster.tell('select pg_reload_conf()');
      if (value === 'on') await pause(500 + chance.below(leaseMs));
    }
  },
  async 'the clock of a broker is wrong by an hour'({ slots }, chance) {
    const slot = chance.of(slots);
    const hours = chance.once(2) ? 1 : -1;
    await slot.end('SIGTERM');
    await slot.start({ NODE_OPTIONS: `--import=${wrongClock}`, CLOCK_OFF_BY: String(hours * 3_600_000) });
    await pause(chance.below(2 * leaseMs));
    await slot.end('SIGTERM');
    await slot.start();
  },
  async 'a broker may open no more files'({ slots }, chance) {
    const { pid } = chance.of(slots).broker() ?? {};
    if (pid === undefined) return;
    const [, most = ''] = /Max open files +(\d+)/.exec(readFileSync(`/proc/${pid}/limits`, 'utf8')) ?? [];
    execFileSync('prlimit', [`--pid=${pid}`, '--nofile=20:']);
    await pause(500 + chance.below(leaseMs));
    execFileSync('prlimit', [`--pid=${pid}`, `--nofile=${most}:`]);
  },
  async 'the disk of a node is full'({ small }, chance) {
    if (small === undefined) return;
    const filler = join(small, 'filler');
    fill(filler);
    await pause(500 + chance.below(leaseMs));
    rmSync(filler);
  },
  async 'hooks hang'({ scratch }, chance) {
    const file = join(scratch, hangFile);
    writeFileSync(file, '');
    await pause(500 + chance.below(2 * leaseMs));
    rmSync(file);
  },
  async 'the encryption key is exchanged'(cluster) {
    cluster.keys.add();
    for (const slot of cluster.slots) {
      await slot.end('SIGTERM');
      await slot.start();
    }
    const [slot] = cluster.slots;
    await until('a change of the key that comes to its end', async () => {
      return slot !== undefined && (await cluster.command(slot, 'keys', 'rotate')) === 0;
    });
  },
  async 'the catalog is edited'({ catalogDir }, chance) {
    writeOffering(catalogDir, chance.of(offeringNames), `Edited ${chance.below(1000)} times`);
  },
};

const wrongClock = new URL('wrong-clock.mjs', import.meta.url).href;

/** With bytes, until none has room. */
function fill(file: string): void {
  const piece = Buffer.alloc(65_536, 1);
  const descriptor = openSync(file, 'w');
  try {
    for (;;) writeSync(descriptor, piece);
  } catch (error) {
    if (codeOf(error) !== 'ENOSPC') throw error;
  } finally {
    closeSync(descriptor);
  }
}
