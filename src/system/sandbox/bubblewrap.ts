import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Account, ENVIRONMENT, runAs } from '../account.ts';
import { findExecutable } from '../executables.ts';
import { ownSecrets } from './places.ts';
import type { View } from './mounts.ts';
import { type Bubblewrap, sandboxOf } from './wrap.ts';

export interface Wanted {
  /** Absent: the user of this process. */
  readonly account: Account | undefined;
  /** PATH of everything that is started. */
  readonly path: string;
  readonly hidden: readonly string[];
  readonly reads: readonly string[];
}

/** What there is to shut programs in, or why there is nothing, as the end of a sentence. */
export type Found = { readonly bubblewrap: Bubblewrap } | { readonly lacking: string };

/**
 * Looks for `bwrap` and tries it once, as the account that programs have; where only root may make namespaces, root
 * makes them and then becomes the account.
 */
export async function findBubblewrap(wanted: Wanted): Promise<Found> {
  const { account, path } = wanted;
  const isRoot = process.getuid?.() === 0;
  // Who lets programs be root means it: they may do anything anyway.
  if (isRoot && !account) return { lacking: 'programs run as root' };
  const bwrap = findExecutable(path, 'bwrap');
  const env = findExecutable(path, 'env');
  if (bwrap === undefined || env === undefined) return { lacking: 'there is no bwrap on the PATH' };
  const help = await said(bwrap, ['--help']);
  const sized = help.includes('--size');
  const first: Bubblewrap = { bwrap, env, sized, view: await viewOf(wanted) };
  const setpriv = account && help.includes('--perms') ? findExecutable(path, 'setpriv') : undefined;
  const second = setpriv && isRoot ? [{ ...first, setpriv }] : [];
  let lacking = '';
  for (const bubblewrap of [first, ...second]) {
    const trouble = await tryOut(bubblewrap, account);
    if (trouble === undefined) return { bubblewrap };
    lacking ||= trouble;
  }
  return { lacking: `bwrap does not work for the user of programs (${lacking})` };
}

async function viewOf({ account, path, hidden, reads }: Wanted): Promise<View> {
  const uid = account?.uid ?? process.getuid?.() ?? 0;
  const gids = account ? [account.gid] : (process.getgroups?.() ?? []);
  const masked = [
    ...ownSecrets('/etc', uid, gids, 8),
    ...ownSecrets('/usr/local/etc', uid, gids, 8),
    ...ownSecrets('/opt', uid, gids, 3),
  ];
  return { path: await enterable(account, path), hidden, reads, masked };
}

/** Those folders that the account can enter, asked of the system itself. */
async function enterable(account: Account | undefined, path: string): Promise<readonly string[]> {
  const folders = path.split(':').filter((folder) => folder.startsWith('/') && !folder.includes('\n'));
  const script = 'for one; do test -x "$one" && echo "$one"; done; :';
  const said = await runAs(account, '/bin/sh', ['-c', script, 'sh', ...folders.map((one) => resolve(one))]);
  return said.split('\n').filter(Boolean);
}

/** What stands in the way; undefined when it works. */
async function tryOut(bubblewrap: Bubblewrap, account: Account | undefined): Promise<string | undefined> {
  const sandbox = sandboxOf(bubblewrap, { reads: [], writes: [] });
  const [file = '', ...args] = sandbox.wrap({ command: ['/bin/sh', '-c', ':'], cwd: '/' }, account);
  const user = sandbox.becomes ? {} : { uid: account?.uid, gid: account?.gid };
  try {
    await promisify(execFile)(file, args, { ...user, cwd: '/', env: ENVIRONMENT, timeout: 10_000 });
    return undefined;
  } catch (error) {
    const { stderr = '', message } = error as Error & { readonly stderr?: string };
    return (stderr.trim().split('\n').at(-1) || message).slice(0, 200);
  }
}

async function said(file: string, args: readonly string[]): Promise<string> {
  return promisify(execFile)(file, [...args], { env: ENVIRONMENT, timeout: 10_000 }).then(
    ({ stdout, stderr }) => stdout + stderr,
    () => '',
  );
}
