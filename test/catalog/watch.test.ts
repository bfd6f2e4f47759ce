import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog } from '../../src/broker/catalog.ts';
import type { LoadResult } from '../../src/catalog/compile.ts';
import { loadCatalog } from '../../src/catalog/load.ts';
import { problemLines } from '../../src/catalog/problem.ts';
import { fingerprint } from '../../src/catalog/files.ts';
import { type CatalogWatch, watchCatalog } from '../../src/catalog/watch.ts';
import { anOffering, traits } from './folder.ts';
import { until } from '../support/until.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

/** A watched directory, and what the watch told so far. */
interface Scene {
  readonly directory: string;
  readonly file: string;
  readonly names: string[];
  readonly lines: string[];
  readonly watch: CatalogWatch;
}

let open: Scene[] = [];
let parent = '';

beforeEach(async () => {
  parent = scratchDirectory('watched');
});

afterEach(async () => {
  for (const { watch } of open) await watch.close();
  open = [];
});

async function scene(
  load?: (directory: string) => Promise<LoadResult>,
  lookMs = 50,
  changedSince?: string,
): Promise<Scene> {
  const directory = join(parent, 'catalog');
  const file = join(directory, 'a.json');
  await mkdir(directory);
  await writeFile(file, named('first'));
  const since = changedSince === undefined ? undefined : await fingerprint([directory]);
  if (changedSince !== undefined) await writeFile(file, named(changedSince));
  const names: string[] = [];
  const lines: string[] = [];
  const watch = watchCatalog({
    directories: [directory],
    since,
    load: () => (load ? load(directory) : loadCatalog([directory], traits)),
    onCatalog: (catalog) => void names.push(nameOf(catalog)),
    onProblems: (problems) =>
      void lines.push(...problemLines(problems).map((line) => line.replace(`${directory}/`, ''))),
    calmMs: 20,
    lookMs,
  });
  const made = { directory, file, names, lines, watch };
  open.push(made);
  return made;
}

function named(name: string): string {
  return JSON.stringify(anOffering({ name }));
}

function nameOf({ offerings }: Catalog): string {
  return offerings.map(({ name }) => name).join();
}

test('A reload loads at once, changed or not.', async () => {
  const { watch, names } = await scene();
  await watch.reload();
  await watch.reload();
  expect(names).toEqual(['first', 'first']);
});

test('A changed file becomes the catalog, and nothing else does.', async () => {
  const { watch, names, lines, file, directory } = await scene();
  await watch.reload();
  await writeFile(join(directory, 'notes.txt'), 'no offering');
  await writeFile(file, named('second'));
  await until('a second catalog is loaded', () => names.length > 1);
  await watch.reload();
  // A look between the two deeds of a write, to empty the file and to fill it, is followed by another.
  expect([...new Set(names)]).toEqual(['first', 'second']);
  expect(lines).toEqual([]);
});

test('A file that has changed since before the first load is loaded at the first look, and once.', async () => {
  const { watch, names } = await scene(undefined, 60_000, 'changed since');
  await until('the changed catalog is loaded', () => names.length > 0);
  await watch.reload();
  expect(names).toEqual(['changed since', 'changed since']);
});

test('The system tells of a change long before the next look.', async () => {
  const { watch, names, file } = await scene(undefined, 60_000);
  await watch.reload();
  await writeFile(file, named('second'));
  await until('the second catalog is loaded', () => names.includes('second'));
});

test('A bad edit keeps the catalog and says why; a good one after it counts.', async () => {
  const { watch, names, lines, file, directory } = await scene();
  await watch.reload();
  // In one deed, so that no look finds an empty file and says so.
  const made = join(directory, '.a.json.new');
  await writeFile(made, JSON.stringify(anOffering({ name: 'second', colour: 'red', plans: [] })));
  await rename(made, file);
  await until('something is told', () => lines.length > 0);
  expect(names).toEqual(['first']);
  expect(lines).toEqual([
    expect.stringMatching(/^a\.json:1:\d+: plans: The value must have at least 1 item\.$/),
    expect.stringMatching(/^a\.json:1:\d+: colour: There is no such key here\./),
  ]);
  await writeFile(file, named('third'));
  await until('the third catalog is loaded', () => names.length > 1);
  expect([...new Set(names)]).toEqual(['first', 'third']);
});

test('A hook that is written, made executable or changed counts as a change of its offering.', async () => {
  const { watch, names, directory } = await scene();
  await watch.reload();
  const hook = join(directory, 'hooks', 'cache', 'init');
  await mkdir(join(directory, 'hooks', 'cache'), { recursive: true });
  await writeFile(hook, 'one');
  await until('another catalog is loaded', () => names.length > 1);
  await watch.reload();
  const before = names.length;
  await chmod(hook, 0o755);
  await until('the changed catalog is loaded', () => names.length > before);
});

test('An editor that writes a new file and renames it is followed.', async () => {
  const { watch, names, file, directory } = await scene();
  await watch.reload();
  for (const name of ['second', 'third']) {
    await writeFile(join(directory, '.a.json.new'), named(name));
    await rename(join(directory, '.a.json.new'), file);
    await until(`the catalog '${name}' is loaded`, () => names.includes(name));
  }
  expect(names).toEqual(['first', 'second', 'third']);
});

test('A directory that vanishes is told, and followed again when it is back.', async () => {
  const { watch, names, lines, file, directory } = await scene();
  await watch.reload();
  await rm(directory, { recursive: true });
  await until('something is told', () => lines.length > 0);
  expect(lines.at(-1)).toBe(`${directory}: The directory does not exist.`);
  await mkdir(directory);
  await writeFile(file, named('second'));
  await until('the second catalog is loaded', () => names.includes('second'));
  await writeFile(file, named('third'));
  await until('the third catalog is loaded', () => names.includes('third'));
});

test('A directory that is replaced by another is followed.', async () => {
  const { watch, names, directory } = await scene();
  await watch.reload();
  await mkdir(join(parent, 'next'));
  await writeFile(join(parent, 'next', 'a.json'), named('second'));
  await rename(directory, join(parent, 'before'));
  await rename(join(parent, 'next'), directory);
  await until('the second catalog is loaded', () => names.includes('second'));
  await writeFile(join(directory, 'a.json'), named('third'));
  await until('the third catalog is loaded', () => names.includes('third'));
});

test('Reloads run one after another, and those that wait share one.', async () => {
  let running = 0;
  let most = 0;
  let loads = 0;
  const { watch } = await scene(async (directory) => {
    loads += 1;
    running += 1;
    most = Math.max(most, running);
    const result = await loadCatalog([directory], traits);
    running -= 1;
    return result;
  });
  await Promise.all(Array.from({ length: 20 }, () => watch.reload()));
  expect(most).toBe(1);
  expect(loads).toBeGreaterThan(0);
  expect(loads).toBeLessThanOrEqual(2);
});

test('A load that breaks is told once and tried again until it works.', async () => {
  let tries = 0;
  const { watch, names, lines } = await scene((directory) => {
    tries += 1;
    return tries < 4 ? Promise.reject(new Error('the database is away')) : loadCatalog([directory], traits);
  });
  await watch.reload();
  await until('a catalog is loaded', () => names.length > 0);
  expect(names).toEqual(['first']);
  expect(lines).toEqual(['catalog: The catalog could not be loaded: the database is away.']);
});

test('After the close nobody is called, not even by a load that was going on.', async () => {
  let finish: (() => void) | undefined;
  const { watch, names, file } = await scene(async (directory) => {
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    return loadCatalog([directory], traits);
  });
  const reload = watch.reload();
  await until('the load has begun', () => finish !== undefined);
  const close = watch.close();
  finish?.();
  await Promise.all([reload, close]);
  await writeFile(file, named('second'));
  await watch.reload();
  expect(names).toEqual([]);
});
