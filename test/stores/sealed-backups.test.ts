import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { BackupStorage } from '../../src/broker/backups.ts';
import { directoryBackups } from '../../src/stores/backups/directory.ts';
import { sealedBackups } from '../../src/stores/backups/sealed.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

function open() {
  const directory = scratchDirectory('sealed-backups');
  return { directory, sealed: sealedBackups(directoryBackups(directory)) };
}

async function save(storage: BackupStorage, name: string, bytes: Buffer) {
  // Not in parts of the size in which it is encrypted.
  const pieces = Array.from({ length: Math.ceil(bytes.length / 10_007) }, (_, at) =>
    bytes.subarray(at * 10_007, (at + 1) * 10_007),
  );
  const { key, ...stored } = await storage.write(name, (to) => pipeline(Readable.from(pieces), to));
  return { name, key, stored };
}

test.each([0, 1, 65_535, 65_536, 65_537, 131_072, 300_000])(
  'A backup of %d bytes is encrypted where it lies, and read as it was',
  async (size) => {
    const { directory, sealed } = open();
    const bytes = randomBytes(size);
    const saved = await save(sealed, 'b', bytes);
    const file = readFileSync(join(directory, 'b'));
    expect(saved.stored.size).toBe(file.length);
    if (size > 20) expect(file.includes(bytes.subarray(0, 20))).toBe(false);
    expect((await buffer(await sealed.read(saved.name, saved.key))).equals(bytes)).toBe(true);
  },
);

/** Of a part, with its mark. */
const partSize = 65_552;

test.each<[string, (file: Buffer) => Buffer]>([
  ['one bit of which was changed', (file) => flipped(file, file.length - 40)],
  ['the end of which is gone', (file) => file.subarray(0, -1)],
  ['the last part of which is gone', (file) => file.subarray(0, partSize)],
  ['two parts of which have changed places', swapped],
  ['that was not encrypted', () => Buffer.from('something else entirely')],
  ['of which nothing is left', () => Buffer.alloc(0)],
])('A backup %s is not read to its end', async (_what, change) => {
  const { directory, sealed } = open();
  const saved = await save(sealed, 'b', Buffer.alloc(140_000, 'x'));
  const file = join(directory, 'b');
  writeFileSync(file, change(readFileSync(file)));
  await expect(sealed.read(saved.name, saved.key).then(buffer)).rejects.toMatchObject({ word: 'damaged' });
});

test('A backup opens by its own key alone, and one from before there were keys is read as it lies', async () => {
  const { directory, sealed } = open();
  const [one, other] = [
    await save(sealed, 'b', Buffer.from('all of it')),
    await save(sealed, 'c', Buffer.from('')),
  ];
  await expect(sealed.read(one.name, other.key).then(buffer)).rejects.toMatchObject({
    word: 'damaged',
  });
  writeFileSync(join(directory, 'd'), 'of before');
  expect((await buffer(await sealed.read('d'))).toString()).toBe('of before');
});

function flipped(file: Buffer, at: number): Buffer {
  const changed = Buffer.from(file);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}

function swapped(file: Buffer): Buffer {
  const part = (at: number) => file.subarray(at * partSize, (at + 1) * partSize);
  return Buffer.concat([part(1), part(0), file.subarray(2 * partSize)]);
}
