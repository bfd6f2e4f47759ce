import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Catalog } from '../../src/broker/catalog.ts';
import type { JsonObject } from '../../src/broker/json.ts';
import { loadCatalog } from '../../src/catalog/load.ts';
import { memoryStore } from '../../src/stores/memory/index.ts';
import { openTestDatabase, type TestDatabase } from '../support/database.ts';
import { migrate } from '../../src/postgres/migrate.ts';
import type { Registry } from '../../src/provisioners/index.ts';
import { faultyMigrations } from '../../src/provisioners/faulty/migrations.ts';
import { shippedProvisioners } from '../support/shipped-provisioners.ts';
import { aBroker } from './composed-core.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { shippedTraits } from '../../src/program/shipped.ts';

/** catalog/trial/ and the page about it: each plan is described, and does what its description says. */

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/trial.md'), 'utf8');
let database: TestDatabase;
let known: Registry;
let catalog: Catalog;
let problems: readonly { readonly level: string; readonly file: string }[];

beforeAll(async () => {
  database = await openTestDatabase();
  await migrate(database.pool, [faultyMigrations]);
  known = await shippedProvisioners(scratchDirectory('trial'), database.pool);
  const loaded = await loadCatalog([join(root, 'catalog/trial')], shippedTraits());
  ({ catalog = { offerings: [], loadedAt: new Date() }, problems } = loaded);
});
afterAll(() => database.close());

function plan(offering: string, name: string) {
  const found = catalog.offerings
    .find((one) => one.name === offering)
    ?.plans.find((one) => one.name === name);
  if (!found) throw new Error(`There is no plan ${name} of ${offering}.`);
  return found;
}

describe('The page for testers', () => {
  /** The tables, with the text of the section they stand in. */
  const sections = page.split(/^## /m).map((text) => ({
    text,
    rows: [...text.matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)]
      .map((row) => row.slice(1).map((cell) => cell.trim()))
      .filter(([name = '']) => name !== 'plan' && !name.startsWith('---')),
  }));

  test('The page for testers says what each plan does in the words of the plan, under the name of its offering.', () => {
    for (const { name, plans } of catalog.offerings) {
      const section = sections.find(({ text }) => new RegExp(`\\b${name}(?![-\\w])`).test(text));
      const said = section?.rows.map(([title, does]) => [title, does]);
      expect(said).toEqual(expect.arrayContaining(plans.map((one) => [one.name, one.description])));
    }
  });

  test('The page for testers has no plan that is not in the catalog, and no empty cell.', () => {
    const rows = sections.flatMap((section) => section.rows);
    const plans = catalog.offerings.flatMap((offering) => offering.plans);
    expect(new Set(rows.map(([name]) => name))).toEqual(new Set(plans.map(({ name }) => name)));
    expect(rows).toHaveLength(plans.length);
    for (const row of rows) expect(row).toEqual(row.map(() => expect.stringMatching(/\S/)));
  });
});

test('The trial loads without an error, and is advised against only where it is meant to be.', () => {
  expect(problems.filter(({ level }) => level !== 'warning')).toEqual([]);
  expect(problems.filter(({ file }) => !file.endsWith('schemas-newer.yaml'))).toEqual([]);
  expect(catalog.offerings.length).toBeGreaterThan(0);
});

test.each<[offering: string, plan: string, on: 'provision' | 'update' | 'bind', JsonObject, fits: boolean]>([
  ['trial-schemas', 'draft-04', 'provision', { share: 0.5 }, true],
  ['trial-schemas', 'draft-04', 'update', { share: 1 }, false],
  ['trial-schemas', 'draft-04', 'bind', { role: 'reader' }, true],
  ['trial-schemas', 'draft-04', 'bind', { role: 'king' }, false],
  ['trial-schemas', 'draft-06', 'provision', { zones: ['a', 'b'] }, true],
  ['trial-schemas', 'draft-06', 'provision', { zones: ['b'] }, false],
  ['trial-schemas-newer', 'draft-07', 'provision', { kind: 'single' }, true],
  ['trial-schemas-newer', 'draft-07', 'provision', { kind: 'replicated' }, false],
  ['trial-schemas-newer', 'draft-07', 'provision', { kind: 'replicated', replicas: 3 }, true],
  ['trial-schemas-newer', 'draft-2019-09', 'provision', { password: 'x' }, false],
  ['trial-schemas-newer', 'draft-2019-09', 'provision', { password: 'x', user: 'y' }, true],
  ['trial-schemas-newer', 'draft-2020-12', 'provision', { range: [1, 2] }, true],
  ['trial-schemas-newer', 'draft-2020-12', 'provision', { range: [1, 2, 3] }, false],
])('%s %s: at %s the parameters %j fit: %j.', (offering, name, on, parameters, fits) => {
  expect(plan(offering, name).check[on](parameters) === undefined).toBe(fits);
});

/**
 * Provision, update, bind, unbind twice and deprovision twice, without accepts_incomplete; each told in a word,
 * an outcome's or a failure's.
 */
async function live(offering: string, name: string): Promise<readonly string[]> {
  const { offeringId, id: planId } = plan(offering, name);
  const broker = aBroker(memoryStore(), catalog, known);
  const same = {
    instanceId: randomUUID(),
    offeringId,
    origin: { protocol: 'test' },
    acceptsIncomplete: false,
  };
  const toBind = { ...same, planId, bindingId: 'b1', context: {}, parameters: {} };
  const steps = [
    () => broker.provision({ ...same, planId, context: {}, parameters: {} }),
    () => broker.update({ ...same, parameters: { size: 2 } }),
    () => broker.bind(toBind),
    () => broker.unbind(toBind),
    () => broker.unbind(toBind),
    () => broker.deprovision({ ...same, planId }),
    () => broker.deprovision({ ...same, planId }),
  ];
  const words: string[] = [];
  for (const step of steps) {
    words.push(
      await step().then(
        ({ is }) => is,
        (error: { word?: string; code?: string }) => error.word ?? error.code ?? '',
      ),
    );
  }
  return words;
}

test.each([
  ['trial-timing', 'quick', 'done done done done absent done absent'],
  ['trial-timing', 'crash', 'done done done done absent done absent'],
  ['trial-timing', 'async-required', 'async-required not-found not-found absent absent absent absent'],
  ['trial-failing', 'sound', 'done done done done absent done absent'],
  ['trial-failing', 'provision', 'on-purpose not-ready not-ready absent absent done absent'],
  ['trial-failing', 'provision-made', 'on-purpose not-ready not-ready absent absent done absent'],
  ['trial-failing', 'update', 'done on-purpose done done absent done absent'],
  ['trial-failing', 'update-final', 'done on-purpose done done absent done absent'],
  ['trial-failing', 'bind', 'done done on-purpose done absent done absent'],
  ['trial-failing', 'bind-late', 'done done on-purpose done absent done absent'],
  ['trial-failing', 'unbind', 'done done done on-purpose done done absent'],
  ['trial-failing', 'deprovision', 'done done done done absent on-purpose done'],
])('A life with %s %s goes as the page says (%s), and nothing is left.', async (offering, name, words) => {
  expect((await live(offering, name)).join(' ')).toBe(words);
  expect(await known.get('faulty').inventory?.()).toEqual([]);
});
