import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { isWithin, placesOf } from './places.ts';

/** What programs see of a machine, whoever they belong to. */
export interface View {
  /** Those of the PATH that the account can enter. */
  readonly path: readonly string[];
  /** Directories and files of which nothing is seen, unless something in them is named here. */
  readonly hidden: readonly string[];
  /** Files and directories that the account could read and nobody else can: the operator's own. */
  readonly masked: readonly string[];
  /** What else the operator lets them read. */
  readonly reads: readonly string[];
}

/** What one program sees beside that; paths are the same inside as outside. */
export interface SandboxRoom {
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Do they see the processes of the machine, and are seen? */
  readonly sharesProcesses?: boolean | undefined;
}

/** Arguments of `bwrap` that put one thing in its place. */
interface Mount {
  readonly at: string;
  readonly words: readonly string[];
}

const systemFolders = [
  '/usr',
  '/bin',
  '/sbin',
  '/lib',
  '/lib32',
  '/lib64',
  '/libx32',
  '/opt',
  '/nix',
  '/gnu',
];
/** Of these there are others inside than outside. */
const made = ['/tmp', '/run', '/var', '/var/tmp', '/var/run'];
const kernels = ['/proc', '/dev', '/sys'];
const cpus = ['/sys/devices/system/cpu', '/sys/devices/system/node'];
/** On many machines they are links to where the system's own services write. */
const networkFiles = ['/etc/resolv.conf', '/etc/hosts', '/etc/nsswitch.conf'];

export interface MountManner {
  /** Can `bwrap` bound what is kept in memory? */
  readonly sized: boolean;
  /** Are the folders above to be made such that everybody can enter? */
  readonly parents: boolean;
  /** Does it see all processes of the machine? */
  readonly sharesProcesses: boolean;
}

/** The file system of a program: the system read-only, a temporary place, /proc, a few devices, and its room. */
export function mountsOf(
  view: View,
  room: SandboxRoom,
  { sized, parents, sharesProcesses }: MountManner,
): readonly string[] {
  const roots = ['/etc', ...systemFolders].filter(isThere);
  const hidden = view.hidden.filter((path) => path !== '/' && !roots.includes(path));
  const isSeen = (place: string) =>
    made.includes(place) || isWithin(place, kernels) || (isWithin(place, roots) && !isWithin(place, hidden));
  const shown = [...view.path.flatMap(placesOf), ...room.reads].filter((place) => !showsAny(place, hidden));
  const reads = [...new Set([...shown, ...view.reads])].filter((place) => !isSeen(place));
  const mounts = [
    ...roots.map(systemMount),
    ...[...cpus, ...networkFiles.flatMap(strayTarget)].map(readOnly),
    { at: '/proc', words: sharesProcesses ? ['--bind', '/proc', '/proc'] : ['--proc', '/proc'] },
    ...memory(sized),
    ...hidden.filter((path) => isWithin(path, roots) && isThere(path)).map(mask),
    ...view.masked.map(mask),
    ...reads.map(readOnly),
    ...room.writes.map((at) => ({ at, words: ['--bind', at, at] })),
  ];
  const all = parents ? [...foldersAbove(mounts), ...mounts] : mounts;
  // What is inside of something comes after it.
  const ordered = all.toSorted((a, b) => (`${a.at}/` < `${b.at}/` ? -1 : 1));
  return [...ordered.flatMap(({ words }) => words), '--remount-ro', '/dev', '--remount-ro', '/'];
}

/** Would it show something of what is hidden? */
function showsAny(place: string, hidden: readonly string[]): boolean {
  return hidden.some((secret) => isWithin(secret, [place]));
}

function systemMount(at: string): Mount {
  const isLink = lstatSync(at).isSymbolicLink();
  return isLink ? { at, words: ['--symlink', readlinkSync(at), at] } : readOnly(at);
}

function readOnly(at: string): Mount {
  return { at, words: ['--ro-bind-try', at, at] };
}

function mask(at: string): Mount {
  const found = lstatSync(at, { throwIfNoEntry: false });
  if (!found) return { at, words: [] };
  return found.isDirectory() ? temporary(at) : { at, words: ['--ro-bind', '/dev/null', at] };
}

/** What is kept in memory counts against nobody's disk. */
function memory(sized: boolean): readonly Mount[] {
  const ofSize = (at: string, megabytes: number) => temporary(at, sized ? megabytes : undefined);
  return [
    { at: '/dev', words: ['--dev', '/dev'] },
    ofSize('/dev/shm', 64),
    ofSize('/tmp', 256),
    ofSize('/run', 16),
    { at: '/var/run', words: ['--symlink', '../run', '/var/run'] },
    { at: '/var/tmp', words: ['--symlink', '../tmp', '/var/tmp'] },
  ];
}

function temporary(at: string, megabytes?: number): Mount {
  const size = megabytes === undefined ? [] : ['--size', String(megabytes * 1024 * 1024)];
  return { at, words: [...size, '--tmpfs', at] };
}

/** Its own target, when it is a link that leads out of what is seen. */
function strayTarget(link: string): readonly string[] {
  if (!lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) return [];
  try {
    const real = realpathSync(link);
    return isWithin(real, ['/etc', ...systemFolders]) ? [] : [real];
  } catch {
    return [];
  }
}

function foldersAbove(mounts: readonly Mount[]): readonly Mount[] {
  const above = new Set<string>();
  const places = new Set(mounts.map(({ at }) => at));
  for (const { at } of mounts)
    for (let folder = dirname(at); folder !== '/'; folder = dirname(folder)) above.add(folder);
  const missing = [...above].filter((folder) => !places.has(folder) && !isWithin(folder, systemFolders));
  return missing.map((at) => ({ at, words: ['--perms', '0755', '--dir', at] }));
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
