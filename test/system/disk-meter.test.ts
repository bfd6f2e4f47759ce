import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createDiskMeter } from '../../src/system/limits/disk-meter.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';
import { until } from '../support/until.ts';

const path = '/usr/local/bin:/usr/bin:/bin';
const megabyte = 1024 * 1024;

function aDirectory(name: string): string {
  const directory = scratchDirectory(name);
  writeFileSync(join(directory, 'file'), Buffer.alloc(3 * megabyte, 'x'));
  return directory;
}

describe('The meter of the disk', () => {
  test('The meter of the disk finds what a directory takes.', async () => {
    const meter = createDiskMeter(path);
    const directory = aDirectory('measured');
    const bytes = await meter.lately(directory, 10_000);
    expect(bytes).toBeGreaterThanOrEqual(3 * megabyte);
    expect(bytes).toBeLessThan(4 * megabyte);
    expect(await meter.now(directory, 10_000)).toBe(bytes);
  });

  test('The meter of the disk does not measure again at once, and does later; who must know measures now.', async () => {
    const meter = createDiskMeter(path, 0);
    const directory = aDirectory('changing');
    const first = (await meter.lately(directory, 10_000)) ?? 0;
    writeFileSync(join(directory, 'more'), Buffer.alloc(megabyte, 'x'));
    expect(await meter.lately(directory, 10_000)).toBe(first);
    const more = await until('it is measured again', async () => {
      const bytes = await meter.lately(directory, 10_000);
      return bytes !== first && bytes;
    });
    expect(more).toBeGreaterThanOrEqual(first + megabyte);
    rmSync(join(directory, 'more'));
    expect(await meter.now(directory, 10_000)).toBe(first);
    expect(await meter.lately(directory, 10_000)).toBe(first);
  });

  test('The meter of the disk keeps nobody waiting longer than he wants, and knows when it has found out.', async () => {
    const meter = createDiskMeter(path);
    const directory = aDirectory('slow');
    for (let file = 0; file < 450; file += 1) writeFileSync(join(directory, `more-${file}`), '');
    expect(await meter.lately(directory, 0)).toBeUndefined();
    expect(await meter.lately(directory, 10_000)).toBeGreaterThan(megabyte);
  });

  test('The meter of the disk measures many directories one after the other, and each of them once.', async () => {
    const meter = createDiskMeter(path);
    const directories = ['one', 'two', 'three'].map(aDirectory);
    const sizes = await Promise.all([...directories, ...directories].map((one) => meter.lately(one, 20_000)));
    expect(sizes.every((bytes) => bytes !== undefined && bytes > megabyte)).toBe(true);
  });

  test.each([
    ['few', 3],
    ['many', 450],
  ])(
    'What a directory with %s files takes is what the system says, holes, links and names of one file considered.',
    async (_word, count) => {
      const directory = aDirectory('counted');
      mkdirSync(join(directory, 'inner'));
      for (let file = 0; file < count; file += 1)
        writeFileSync(join(directory, 'inner', `${file}`), 'x'.repeat(file * 99));
      linkSync(join(directory, 'file'), join(directory, 'inner/other-name'));
      symlinkSync('/usr', join(directory, 'inner/link'));
      writeFileSync(join(directory, 'hole'), '');
      truncateSync(join(directory, 'hole'), 50 * megabyte);
      const said = execFileSync('du', ['-skx', '--', directory]).toString();
      expect(await createDiskMeter(path).now(directory, 10_000)).toBe(Number.parseInt(said, 10) * 1024);
    },
  );

  test('The meter of the disk knows nothing of a directory that is gone.', async () => {
    const meter = createDiskMeter(path);
    const directory = join(scratchDirectory('gone'), 'nowhere');
    expect(await meter.lately(directory, 10_000)).toBeUndefined();
    await expect(meter.now(directory, 10_000)).rejects.toThrow('is unknown');
  });
});
