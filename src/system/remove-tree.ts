import { execFile } from 'node:child_process';
import { constants, lstatSync } from 'node:fs';
import { open, opendir, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Removes a directory and all in it, whatever the modes of what is inside; nothing when it is not there. It never leaves
 * the tree through a link that somebody puts there meanwhile. What is small is removed here, since to begin a program
 * takes longer; all else by the system's own.
 * @throws Error with what the program said
 */
export async function removeTree(path: string): Promise<void> {
  if (!lstatSync(path, { throwIfNoEntry: false })) return;
  if (await isRemovedHere(path)) return;
  await run('rm', ['-rf', '--', path]).catch(async () => {
    // Only root may look into a directory that its owner has closed.
    await run('chmod', ['-R', 'u+rwx', '--', path]).catch(() => undefined);
    await run('rm', ['-rf', '--', path]);
  });
}

/** Entries that are removed here. */
const few = 200;

/** Whatever stands against it, the program that comes next tells better. */
async function isRemovedHere(path: string): Promise<boolean> {
  try {
    await removeFew(path, { left: few });
    return true;
  } catch {
    return false;
  }
}

/** Each directory is opened, and what is in it named through what is open: no part of the way can become a link. */
async function removeFew(path: string, room: { left: number }): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const inside = `/proc/self/fd/${directory.fd}`;
    for await (const entry of await opendir(inside)) {
      room.left -= 1;
      if (room.left < 0) throw new Error('There is too much.');
      await (entry.isDirectory()
        ? removeFew(join(inside, entry.name), room)
        : unlink(join(inside, entry.name)));
    }
  } finally {
    await directory.close();
  }
  await rmdir(path);
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' };
  await promisify(execFile)(program, args, { env, cwd: '/' });
}
