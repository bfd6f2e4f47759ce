import { join } from 'node:path';
import { type Controller, controllers } from './amounts.ts';

/** A tree of control groups that is mounted: its top as it is seen here, and the group of this process in it. */
export interface Hierarchy {
  readonly top: string;
  readonly own: string;
}

export interface Hierarchies {
  readonly v2?: Hierarchy;
  readonly v1: Readonly<Partial<Record<Controller, Hierarchy>>>;
}

/**
 * @param mounts /proc/self/mountinfo
 * @param membership /proc/self/cgroup: of version 2 `0::<path>`, of version 1 `<n>:<controllers>:<path>`
 */
export function readHierarchies(mounts: string, membership: string): Hierarchies {
  const mounted = mounts.split('\n').map(readMount);
  const groups = membership.split('\n').map((line) => line.split(':'));
  const find = (type: string, controller: string): Hierarchy | undefined => {
    const mount = mounted.find(
      (one) => one.type === type && (controller === '' || one.options.includes(controller)),
    );
    const group = groups.find(([, names = '']) => names.split(',').includes(controller));
    return (
      mount && group && { top: mount.at, own: join(mount.at, below(mount.root, group.slice(2).join(':'))) }
    );
  };
  const old = controllers.map((controller) => [controller, find('cgroup', controller)]);
  return { v2: find('cgroup2', ''), v1: Object.fromEntries(old) as Hierarchies['v1'] };
}

interface Mount {
  readonly root: string;
  readonly at: string;
  readonly type: string;
  readonly options: readonly string[];
}

/** `36 25 0:31 <root> <at> <options> <any number of words> - <type> <source> <options of the file system>` */
function readMount(line: string): Mount {
  const [before = '', after = ''] = line.split(' - ');
  const [, , , root = '', at = ''] = before.split(' ');
  const [type = '', , options = ''] = after.split(' ');
  return { root, at, type, options: options.split(',') };
}

/** In a container the mount may begin at its own group; what is above it cannot be reached. */
function below(root: string, path: string): string {
  const isInside = root === '/' || path === root || path.startsWith(`${root}/`);
  return isInside && !path.startsWith('/..')
    ? path.slice(root === '/' ? 0 : root.length).replace(/\/$/, '')
    : '';
}
