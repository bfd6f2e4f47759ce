import { execFile } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { promisify } from 'node:util';

/**
 * Removes a directory and all in it, whatever the modes of what is inside; nothing when it is not there. By the
 * system's own program, which never leaves the tree through a link that somebody puts there meanwhile.
 * @throws Error with what the program said
 */
export async function removeTree(path: string): Promise<void> {
  if (!lstatSync(path, { throwIfNoEntry: false })) return;
  await run('rm', ['-rf', '--', path]).catch(async () => {
    // Only root may look into a directory that its owner has closed.
    await run('chmod', ['-R', 'u+rwx', '--', path]).catch(() => undefined);
    await run('rm', ['-rf', '--', path]);
  });
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' };
  await promisify(execFile)(program, args, { env, cwd: '/' });
}
