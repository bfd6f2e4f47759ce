import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { removeTree } from '../../src/system/remove-tree.ts';
import { scratchDirectory } from '../support/scratch-directory.ts';

/** As many files, some of them in folders of their own. */
function aTree(name: string, files: number): string {
  const top = join(scratchDirectory('tree'), name);
  mkdirSync(join(top, 'inner/most'), { recursive: true });
  for (let file = 0; file < files; file += 1) {
    writeFileSync(join(top, file % 2 === 0 ? 'inner' : 'inner/most', `file-${file}`), 'x');
  }
  return top;
}

describe('Removing a directory', () => {
  test.each([
    ['few files', 5],
    ['more files than are removed one by one', 450],
  ])('A directory with %s is removed with all in it.', async (_what, files) => {
    const top = aTree('many', files);
    await removeTree(top);
    expect(existsSync(top)).toBe(false);
    await removeTree(top);
  });

  test('What links in a directory lead to stays.', async () => {
    const other = aTree('other', 3);
    const top = aTree('with-links', 3);
    symlinkSync(other, join(top, 'inner/folder'));
    symlinkSync(join(other, 'inner/file-0'), join(top, 'file'));
    await removeTree(top);
    expect([existsSync(top), existsSync(join(other, 'inner/file-0'))]).toEqual([false, true]);
    symlinkSync(other, top);
    await removeTree(top);
    expect(existsSync(join(other, 'inner/file-0'))).toBe(true);
  });

  test('A directory is removed that its owner has closed, and with names that are no text.', async () => {
    const top = aTree('closed', 3);
    writeFileSync(Buffer.concat([Buffer.from(`${top}/inner/`), Buffer.from([0xff, 0xfe])]), 'x');
    chmodSync(join(top, 'inner/most'), 0);
    await removeTree(top);
    expect(existsSync(top)).toBe(false);
  });
});
