// What a node cannot make of what is on sale, as its own broker tells it.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf, call, startedBrokers, stop } from '../support/started-brokers.ts';

const { scratch, start } = startedBrokers();

const catalog = join(scratch, 'catalog');
const good = join(scratch, 'good');
const bad = join(scratch, 'bad');

function writeOffering(description: string): void {
  const plans = ['one', 'two'].map((name) => ({
    id: `c9a2f6d0-30d3-4a5c-8f0e-6f6a0f1f93${name}`,
    name,
    description,
    with: { disk: name },
  }));
  const roots = [good, bad, join(scratch, '{{plan.disk}}')];
  const config = { roots: [...roots, join(scratch, '{{instance.id}}')] };
  const offering = { id: 'c9a2f6d0-30d3-4a5c-8f0e-6f6a0f1f9400', name: 'filesystem', description };
  const file = { ...offering, provisioner: 'directory', keeps_ids: true, bindable: false, plans, config };
  writeFileSync(join(catalog, 'filesystem.yaml'), JSON.stringify(file));
}

test('Roots that cannot be used are a warning each, at the start and when the catalog is read again; nothing is hidden.', async () => {
  for (const directory of [catalog, good, join(scratch, 'one')]) mkdirSync(directory);
  writeOffering('before');
  const running = start({ CATALOG_DIR: catalog, BROKER_PASSWORD: 'p', NODE_ROLE: 'true' });
  const address = await addressOf(running);
  const two = join(scratch, 'two');
  const missing = (root: string) => `filesystem: roots: ${root} cannot be used: it is not there.`;
  expect(warningsIn(running.output())).toEqual([missing(bad), missing(two)]);

  mkdirSync(two);
  writeFileSync(bad, '');
  const seen = running.output().length;
  writeOffering('after');
  running.signal('SIGHUP');
  await running.shows(/catalog loaded/);
  expect(warningsIn(running.output().slice(seen))).toEqual([
    `filesystem: roots: ${bad} cannot be used: it is a file, and must be a directory.`,
  ]);
  const { services } = (await (await call('broker:p', `${address}/v2/catalog`)).json()) as Sold;
  expect(services[0]?.plans.map(({ name }) => name)).toEqual(['one', 'two']);
  expect(readdirSync(good)).toEqual([]);
  await stop(running);
});

test('A broker that is no node has nothing to say of roots.', async () => {
  writeOffering('elsewhere');
  const env = { CATALOG_DIR: catalog, BROKER_PASSWORD: 'p', NODE_ROLE: 'false' };
  const running = start({ ...env, DATA_DIR: join(scratch, 'no-node') });
  await addressOf(running);
  expect(warningsIn(running.output())).toEqual([]);
  await stop(running);
});

interface Sold {
  readonly services: readonly { readonly plans: readonly { readonly name: string }[] }[];
}

function warningsIn(output: string): readonly string[] {
  return [...output.matchAll(/ WARN +(filesystem: roots: .*)$/gim)].map(([, sentence = '']) => sentence);
}
