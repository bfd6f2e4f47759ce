import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';
import { describeOffering, isInstalled, openShop, type Shop } from '../shipped/shop.ts';
import { runProgram } from '../support/run-program.ts';
import { operatorPassword } from '../support/whole-broker.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

interface Report {
  readonly steps: readonly { readonly step: string; readonly result: string; readonly detail?: string }[];
}

/** Without the variables of the broker beside it: what a person has who types the command. */
async function tried(offering: string): Promise<Report> {
  const { ended } = runProgram(['try', offering, '--json'], {
    PORT: new URL(shop.broker.url).port,
    CATALOG_DIR: 'catalog',
    BROKER_PASSWORD: shop.broker.password,
    OPERATOR_PASSWORD: operatorPassword,
  });
  const { output, errors } = await ended;
  expect(errors).toBe('');
  return JSON.parse(output) as Report;
}

interface Offering {
  readonly name: string;
  readonly credentials?: object;
  readonly prove?: { readonly revoked?: boolean };
  readonly plans: readonly { readonly name: string; readonly tls?: boolean }[];
}

const offerings = readdirSync('catalog')
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => parse(readFileSync(join('catalog', name), 'utf8')) as Offering);

/** What a proof is written for, beside what the offering itself needs. */
const clients: Readonly<Record<string, string>> = {
  postgres: 'psql',
  invert: 'curl',
  nats: 'python3',
  memcached: 'perl',
  'log-drain': 'openssl',
};

/** The test of the command itself has these two. */
const proven = offerings.filter(({ name, prove }) => prove && !['redis', 'echo'].includes(name));

for (const { name, prove, plans } of proven) {
  describeOffering(name, () => {
    const client = clients[name];
    const isMissing = client !== undefined && !isInstalled(client);
    const run = isMissing ? test.skip : test;
    const why = isMissing ? ` (skipped: there is no executable ${client})` : '';
    run(`The command try proves ${name} by its bindings, and what an unbind takes back${why}.`, async () => {
      const { steps } = await tried(name);
      expect(steps.filter(({ result }) => result === 'failed')).toEqual([]);
      // The server of this broker speaks no TLS.
      const unsold = { step: 'update to secure', result: 'skipped', detail: 'the broker does not sell it' };
      expect(steps.some((step) => isDeepStrictEqual(step, unsold))).toBe(name === 'postgres');
      const passed = steps.filter(({ result }) => result === 'passed').map(({ step }) => step);
      expect(passed).toEqual(
        expect.arrayContaining([
          'prove first',
          'prove second',
          'prove second without first',
          'nothing is left',
          // In TLS, with a server that is verified; with the first plan it begins.
          ...plans
            .slice(1)
            .filter(({ tls }) => tls === true && name !== 'postgres')
            .flatMap((plan) => [`update to ${plan.name}`, `prove first as ${plan.name}`]),
        ]),
      );
      expect(passed.includes('first is revoked')).toBe(prove?.revoked ?? true);
    });
  });
}

test('Every shipped offering whose bindings have credentials says how they are proven.', () => {
  expect(offerings.filter(({ credentials, prove }) => credentials && !prove).map(({ name }) => name)).toEqual(
    [],
  );
});
