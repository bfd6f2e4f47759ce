import { coreOptions } from '../../src/config/options.ts';
import { options } from '../../src/program/config.ts';
import { shippedMigrations, shippedTraits } from '../../src/program/shipped.ts';
import { dashboardOptions } from '../../src/protocols/dashboard/options.ts';
import { tsuruOptions } from '../../src/protocols/tsuru/options.ts';
import { kubernetesOptions } from '../../src/provisioners/kubernetes/options.ts';
import { postgresOptions } from '../../src/provisioners/postgres/options.ts';
import { shippedProvisioners } from '../support/shipped-provisioners.ts';

/** What stands in the lists of the program. */

const groups = [coreOptions, kubernetesOptions, postgresOptions, tsuruOptions, dashboardOptions];

test('No option of one part of the program takes the place of another.', () => {
  expect(Object.keys(options)).toHaveLength(groups.flatMap((group) => Object.keys(group)).length);
  const names = Object.values(options).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

test('The options of the postgres provisioner and of tsuru are read with the others.', () => {
  expect(options.sharedServers.name).toBe('SHARED_POSTGRES_URL');
  expect(options.tsuruPassword.name).toBe('TSURU_PASSWORD');
});

test('Each provisioner is made with the name and the traits that are told without it.', async () => {
  const { all } = await shippedProvisioners('/nowhere');
  expect(Object.fromEntries(all.map(({ name, traits }) => [name, traits]))).toEqual(shippedTraits());
});

test('The tables of the broker are made first, then those of provisioners and protocols, each set once.', () => {
  expect(shippedMigrations().map(({ name }) => name)).toEqual([
    'broker',
    'echo',
    'faulty',
    'kubernetes',
    'tsuru',
  ]);
});
