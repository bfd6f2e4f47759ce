import {
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { readCatalog } from '../../src/catalog/load.ts';
import { fingerprint } from '../../src/catalog/files.ts';
import { rememberedCatalog } from '../../src/program/remembered-catalog.ts';
import { traits as someTraits } from '../catalog/folder.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

/** An offering whose file holds a secret, with a hook of its own, and where it is kept that it was found good. */
function shop() {
  const scratch = scratchDirectory('remembered');
  const catalog = join(scratch, 'catalog');
  mkdirSync(join(catalog, 'hooks', 'shop'), { recursive: true });
  writeFileSync(join(catalog, 'shop.yaml'), offering);
  writeFileSync(join(catalog, 'hooks', 'shop', 'prepare'), '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  return { catalog, memory: join(scratch, 'catalog.sealed') };
}

const offering = `
id: 7d4c8a54-5b0f-4ac3-b9dc-2a8c6a26ce01
name: shop
description: A shop with a secret.
provisioner: maker
bindable: false
config:
  note: open-sesame
hooks:
  prepare:
    run: [hooks/shop/prepare]
plans:
  - id: 7d4c8a54-5b0f-4ac3-b9dc-2a8c6a26ce02
    name: small
    description: A small one.
`;

type Shop = ReturnType<typeof shop>;

async function opened({ catalog, memory }: Shop, traits = someTraits) {
  const directories = [catalog];
  const from = { directories, since: await fingerprint(directories), traits };
  return { ...(await rememberedCatalog(memory, from)), from };
}

/** As a start does. */
async function keptIn(one: Shop) {
  const { keep, from } = await opened(one);
  const found = await readCatalog(from.directories, from.traits);
  expect(found.problems).toEqual([]);
  await keep(found);
  return found;
}

test('What was found of a catalog is found again as long as nothing has changed', async () => {
  const one = shop();
  expect((await opened(one)).files).toBeUndefined();
  const found = await keptIn(one);
  expect((await opened(one)).files).toEqual(found);
});

test('What is kept of a catalog is read by its owner alone, and holds nothing that can be read', async () => {
  const one = shop();
  await keptIn(one);
  expect(statSync(one.memory).mode & 0o777).toBe(0o600);
  expect(readFileSync(one.memory, 'utf8')).not.toMatch(/open-sesame|shop/);
});

const changes: Readonly<Record<string, (one: Shop) => void>> = {
  'an offering file of the same size and time'({ catalog }) {
    const file = join(catalog, 'shop.yaml');
    const { atime, mtime } = statSync(file);
    writeFileSync(file, offering.replace('small one', 'large one'));
    utimesSync(file, atime, mtime);
  },
  'one more offering file': ({ catalog }) => writeFileSync(join(catalog, 'more.yaml'), 'name: more'),
  'an offering file that is gone': ({ catalog }) => rmSync(join(catalog, 'shop.yaml')),
  'the program of a hook': ({ catalog }) =>
    writeFileSync(join(catalog, 'hooks', 'shop', 'prepare'), '#!/bin/sh\nexit 1 # now\n'),
  'a hook that is no longer executable': ({ catalog }) =>
    chmodSync(join(catalog, 'hooks', 'shop', 'prepare'), 0o644),
  'a catalog that was put in its place'({ catalog }) {
    const other = shop();
    renameSync(catalog, `${catalog}-before`);
    renameSync(other.catalog, catalog);
  },
};

test.each(Object.entries(changes))('With %s a catalog is judged anew', async (_what, change) => {
  const one = shop();
  await keptIn(one);
  change(one);
  expect((await opened(one)).files).toBeUndefined();
});

test('A catalog is judged anew when provisioners take other things', async () => {
  const one = shop();
  await keptIn(one);
  const { plain: _plain, ...others } = someTraits;
  expect((await opened(one, others)).files).toBeUndefined();
});

test.each<[string, (memory: string) => void]>([
  ['others could have written', (memory) => chmodSync(memory, 0o622)],
  ['was cut', (memory) => writeFileSync(memory, readFileSync(memory).subarray(0, 500))],
  ['holds something else', (memory) => writeFileSync(memory, '{"key":"catalog","iv":"","data":""}')],
  ['is a directory', (memory) => (rmSync(memory), mkdirSync(memory))],
])('What is kept in a file that %s counts for nothing', async (_what, spoil) => {
  const one = shop();
  await keptIn(one);
  spoil(one.memory);
  expect((await opened(one)).files).toBeUndefined();
});

test('What was found is not kept when a file has changed since, has mistakes, or cannot be written', async () => {
  const one = shop();
  const { keep, from } = await opened(one);
  const found = await readCatalog(from.directories, from.traits);
  await keep({ problems: found.problems });
  writeFileSync(join(one.catalog, 'shop.yaml'), offering.replace('small one', 'large one with more words'));
  await keep(found);
  expect(statSync(one.memory, { throwIfNoEntry: false })).toBeUndefined();

  await keptIn({ ...one, memory: join(one.catalog, 'nowhere', 'catalog.sealed') });
});
