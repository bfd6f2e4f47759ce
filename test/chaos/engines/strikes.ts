// What may happen to brokers, a cluster and a container engine.
import { setTimeout as pause } from 'node:timers/promises';
import type { Chance } from '../../fuzz/random.ts';
import type { Fate, HttpWay } from '../../support/http-way.ts';
import { brokerStrikes } from '../slot.ts';
import { until } from '../../support/until.ts';
import { type Engines, isRemovalOfNetwork } from './open-engines.ts';

type Strike = (engines: Engines, chance: Chance) => Promise<void>;

export const strikes: Readonly<Record<string, Strike>> = {
  ...brokerStrikes,
  async 'the API server is killed and comes back'({ cluster }, chance) {
    await cluster.kill();
    await pause(chance.below(3000));
    await cluster.restart();
  },
  // At any moment but one: Docker 20.10 that was killed while it removed a network never starts again.
  async 'the container engine is killed and comes back'({ containers, ways, removals }, chance) {
    ways.containers.fate = (request) => (isRemovalOfNetwork(request) ? 'lost' : 'well');
    await until('no network is being removed', () => removals.size === 0);
    await containers.kill();
    ways.containers.fate = () => 'well';
    await pause(chance.below(3000));
    await containers.start();
  },
  'requests to the cluster are lost, refused, or not heard of': ({ ways }, chance) =>
    disturb(ways.cluster, ['lost', 'refused', 'cut', 'unheard'], chance),
  'requests to the container engine are lost, or not heard of': ({ ways }, chance) =>
    disturb(ways.containers, ['lost', 'cut', 'unheard'], chance),
  async 'connections are ended by Postgres'({ database }, chance) {
    await database.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity
        where application_name in ('engines-one', 'engines-two') and pid % $1 = 0`,
      [1 + chance.below(3)],
    );
  },
};

/** One in so many requests, for some seconds. */
async function disturb(way: HttpWay, fates: readonly Fate[], chance: Chance): Promise<void> {
  const share = 2 + chance.below(5);
  way.fate = () => (chance.once(share) ? chance.of(fates) : 'well');
  await pause(1000 + chance.below(4000));
  way.fate = () => 'well';
}
