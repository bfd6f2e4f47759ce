import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describeOffering } from '../shipped/shop.ts';
import { type Attacks, textOf } from './attacks/attack.ts';
import { beanstalkd } from './attacks/beanstalkd.ts';
import { echo } from './attacks/echo.ts';
import { etcd } from './attacks/etcd.ts';
import { filesystem } from './attacks/filesystem.ts';
import { logDrain } from './attacks/log-drain.ts';
import { mariadb } from './attacks/mariadb.ts';
import { memcached } from './attacks/memcached.ts';
import { mqtt } from './attacks/mqtt.ts';
import { nats } from './attacks/nats.ts';
import { postgres } from './attacks/postgres.ts';
import { rabbitmq } from './attacks/rabbitmq.ts';
import { redis } from './attacks/redis.ts';
import { routeGate } from './attacks/route-gate.ts';
import { search } from './attacks/search.ts';
import { type Holding, type Market, openMarket } from './market.ts';
import { describeSetUp, type SetUp } from './set-ups.ts';

const invert: Attacks = { ...echo, plan: 'small' };
/** By the names of offerings. */
export const allAttacks: Readonly<Record<string, Attacks>> = {
  echo,
  invert,
  redis,
  memcached,
  etcd,
  nats,
  rabbitmq,
  mariadb,
  postgres,
  filesystem,
  search,
  mqtt,
  beanstalkd,
  'log-drain': logDrain,
  'route-gate': routeGate,
};

/** Each shipped offering is attacked from inside by a tenant, and gives nothing of a neighbour or of the broker. */
export function attackOfferings(setUp: SetUp): void {
  describeSetUp(setUp, () => {
    let market: Market;
    beforeAll(async () => {
      market = await openMarket(setUp);
    });
    afterAll(() => market?.close());

    for (const [offering, { plan, plant, attacks }] of Object.entries(allAttacks)) {
      describeOffering(offering, () => {
        const planted = `planted-${randomUUID()}`;
        let mine: Holding;
        let neighbour: Holding;
        beforeAll(async () => {
          [mine, neighbour] = await Promise.all([market.buy(offering, plan), market.buy(offering, plan)]);
          await plant(mine, 'my own secret');
          await plant(neighbour, planted);
        });
        afterAll(async () => {
          await Promise.all([mine?.deprovision(), neighbour?.deprovision()]);
        });

        test.each(attacks.map((attack) => [attack.to, attack] as const))(
          `${offering} refuses to %s`,
          async (_, attack) => {
            const secrets = secretFiles(market, neighbour);
            const paths = secrets.map(({ path }) => path);
            const had = textOf(await attack.try({ mine, neighbour, paths }).catch((error: unknown) => error));
            const { password, token } = neighbour.credentials;
            const kept = [planted, password, token, ...secrets.map(({ content }) => content)];
            expect(kept.filter((secret) => secret !== undefined && had.includes(secret))).toEqual([]);
            expect(had).toMatch(attack.refusal);
          },
        );
      });
    }
  });
}

interface SecretFile {
  readonly path: string;
  readonly content: string;
}

/** What the broker keeps for itself, and what a neighbour has been given to start with. */
function secretFiles({ dataDir }: Market, { base }: Holding): readonly SecretFile[] {
  const own = ['encryption-keys', 'operator-password'].map((name) => join(dataDir, name));
  const theirs = ['conf', 'data'].map((name) => join(base, name)).flatMap(filesIn);
  return [...own, ...theirs].map((path) => ({ path, content: readFileSync(path, 'utf8').trim() }));
}

/** Small ones, as far as there are any. */
function filesIn(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return entries
    .map((name) => join(folder, name))
    .filter((path) => isSmallFile(path))
    .slice(0, 5);
}

function isSmallFile(path: string): boolean {
  const found = statSync(path);
  const { size } = found;
  return found.isFile() && size > 20 && size < 10_000;
}
