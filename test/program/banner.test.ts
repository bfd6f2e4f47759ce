import { aPlan } from '../broker/fixtures.ts';
import { banner, countOf } from '../../src/program/banner.ts';
import type { ServiceOffering, ServicePlan } from '../../src/broker/catalog.ts';

function offering(name: string, ...plans: string[]): ServiceOffering {
  return { name, plans: plans.map((plan) => ({ name: plan }) as ServicePlan) } as unknown as ServiceOffering;
}

const catalog = {
  offerings: [offering('echo', 'large', 'small'), offering('invert', 'one')],
  loadedAt: new Date(0),
};
const introduction = {
  address: 'http://127.0.0.1:8080',
  publicUrl: 'http://127.0.0.1:8080',
  offered: { catalog, hidden: [] },
  database: 'somewhere',
  username: 'broker',
};

test('The banner tells a password that was made here, and where it is kept', () => {
  const text = banner({ ...introduction, madePassword: { value: 'secret', file: '.data/broker-password' } });
  expect(text).toContain('  password  secret (kept in .data/broker-password)\n');
  expect(text).toContain(
    "  curl -u broker:secret -H 'X-Broker-API-Version: 2.17' http://127.0.0.1:8080/v2/catalog\n",
  );
});

test('Without a password made here the banner leaves the password to curl to ask for', () => {
  const text = banner(introduction);
  expect(text).not.toMatch(/^ {2}password/m);
  expect(text).toContain('curl -u broker -H');
});

test('The banner of a node tells what keeps the limits of instances, and what nothing keeps', () => {
  expect(banner(introduction)).not.toMatch(/^ {2}limits/m);
  const limits = 'memory, files by rlimits; disk by rlimits and measuring; cpu, pids: missing';
  expect(banner({ ...introduction, node: 'n1', limits })).toContain(`\n  limits    ${limits}\n`);
});

test('The banner tells the public address only when it is another one', () => {
  expect(banner(introduction)).not.toContain('public');
  expect(banner({ ...introduction, publicUrl: 'https://b.example' })).toMatch(
    /^ {2}public +https:\/\/b\.example$/m,
  );
});

test('The banner counts what is on sale', () => {
  expect(countOf(catalog)).toBe('2 services, 3 plans');
  expect(countOf({ ...catalog, offerings: [offering('a', 'b')] })).toBe('1 service, 1 plan');
});

test('The banner tells what is not on sale, and why', () => {
  const hidden = [{ offering: offering('search', 'one'), reason: 'There is no node.' }];
  expect(banner({ ...introduction, offered: { catalog, hidden } })).toMatch(
    /^ {2}hidden +search: There is no node\.$/m,
  );
});

test('The banner tells of all that is not on sale in one line', () => {
  const reason = 'The executable groonga was not found on any node.';
  const needing = (name: string, needs: readonly string[]) => {
    const made = offering(name, 'one');
    const plans = made.plans.map((plan) => ({
      ...plan,
      operating: { ...aPlan().operating, executables: needs },
    }));
    return { offering: { ...made, plans }, reason };
  };
  const hidden = [needing('search', ['groonga']), needing('mail', ['postfix', 'groonga'])];
  const lines = banner({ ...introduction, offered: { catalog, hidden } }).split('\n');
  expect(lines.filter((line) => /hidden|groonga|postfix/.test(line))).toEqual([
    '  hidden    2 offerings need programs that are not here (of groonga, postfix); `npm start -- offerings` says why',
  ]);
});

test('The banner tells what the broker is to operators', () => {
  expect(banner(introduction)).toMatch(/^ {2}node +none: .*\n(.*\n)* {2}operator +off: OPERATOR_PASSWORD/m);
  const text = banner({ ...introduction, node: 'n1', operator: { username: 'op', file: '.data/op' } });
  expect(text).toMatch(/^ {2}node +n1$/m);
  expect(text).toMatch(/^ {2}operator +op \(its password is kept in \.data\/op\)$/m);
});
