import { dirname } from 'node:path';
import type { Account, Inmate, Sandbox } from '../account.ts';
import { findExecutable } from '../executables.ts';
import { mountsOf, type SandboxRoom, type View } from './mounts.ts';
import { placesOf, realPath } from './places.ts';

/** A `bwrap` that works here, and what it shows. */
export interface Bubblewrap {
  readonly bwrap: string;
  readonly env: string;
  readonly sized: boolean;
  readonly view: View;
  /** `setpriv`, where root makes the namespaces and the program becomes its account only inside. */
  readonly setpriv?: string | undefined;
}

/** The sandbox of all programs that share a room. */
export function sandboxOf(made: Bubblewrap, room: SandboxRoom): Sandbox {
  return {
    wrap: (inmate, account) => wrap(made, room, inmate, account),
    isWall: (commandLine) => isWall(made, commandLine),
    becomes: made.setpriv !== undefined,
  };
}

/**
 * The words that start a program in a sandbox of its own: it sees the system, its room and no other process; the network
 * stays. It outlives who started it. The first process stands for the program as long as that lives: signals to the
 * session pass it by, and reach the program as they would without.
 */
function wrap(
  { bwrap, env, view, sized, setpriv }: Bubblewrap,
  room: SandboxRoom,
  { command, cwd, reads = [] }: Inmate,
  account: Account | undefined,
): readonly string[] {
  const { sharesProcesses = false } = room;
  const [program = ''] = command;
  const places = [...room.reads, ...reads, ...programPlaces(program, view)];
  const parents = setpriv !== undefined;
  return [
    bwrap,
    ...['ipc', 'uts', ...(sharesProcesses ? [] : ['pid'])].map((name) => `--unshare-${name}`),
    '--unshare-cgroup-try',
    ...(parents ? onlyToBecome : ['--unshare-user-try']),
    ...mountsOf(view, { ...room, reads: places }, { sized, parents, sharesProcesses }),
    '--chdir',
    // Root without its privileges cannot enter what belongs to the account, which goes there itself.
    parents ? '/' : cwd,
    '--',
    ...(parents ? [setpriv, ...becoming(account)] : []),
    env,
    `--default-signal=${passedBy.join()}`,
    ...(parents ? ['--chdir', cwd] : []),
    '-u',
    'PWD',
    // To env, such a name would be a variable.
    ...(program.includes('=') ? ['/bin/sh', '-c', 'exec "$@"', 'sh'] : []),
    ...command,
  ];
}

/** Is it the command line of what `wrap` puts around the program? Before, `env` stood outside as well. */
function isWall({ bwrap, env, setpriv }: Bubblewrap, [file, option = '']: readonly string[]): boolean {
  if (file === env) return /^--(ignore|default)-signal/.test(option);
  return file === bwrap || (setpriv !== undefined && file === setpriv);
}

/**
 * Whatever a program may be asked to end or to look at something with. Who begins what `wrap` gives ignores them from then
 * on, and so does all that stands around the program.
 */
export const passedBy: readonly string[] = ['HUP', 'INT', 'QUIT', 'TERM', 'USR1', 'USR2'];

const onlyToBecome = ['--cap-drop', 'ALL', '--cap-add', 'CAP_SETUID', '--cap-add', 'CAP_SETGID'];

function becoming(account: Account | undefined): readonly string[] {
  if (!account) return ['--inh-caps=-all'];
  return [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups', '--inh-caps=-all'];
}

/** The program itself, and what it needs beside it, wherever it really is. */
function programPlaces(program: string, { path }: View): readonly string[] {
  const file = program.includes('/') ? program : findExecutable(path.join(':'), program);
  if (file === undefined || !file.startsWith('/')) return [];
  const real = realPath(file);
  return [file, real, ...placesOf(dirname(real)).slice(1)];
}
