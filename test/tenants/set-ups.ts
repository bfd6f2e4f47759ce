import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isInstalled } from '../shipped/shop.ts';

const root = join(import.meta.dirname, '..', '..');

/** A way in which people run this program; what is promised differs, and SECURITY.md says how. */
export interface SetUp {
  readonly name: string;
  /** Does code inside an instance reach nothing of the broker? */
  readonly closesBroker: boolean;
  /** Nor of other instances? */
  readonly closesNeighbours: boolean;
  /** Whom the broker is started as; undefined for who runs the tests. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  /** Its options. */
  readonly env: Readonly<Record<string, string>>;
  /** Why it cannot be had on this machine. */
  readonly missing: string | undefined;
}

const isRoot = process.getuid?.() === 0;

const noRoot = isRoot ? undefined : 'the tests are not run by root';
const noBwrap = isInstalled('bwrap') ? undefined : 'there is no executable bwrap';
const sandboxed = { NODE_SANDBOX: 'required' };
const bare = { NODE_SANDBOX: 'off', ALLOW_UNISOLATED: 'true' };

export const byRoot: SetUp = {
  name: 'root',
  closesBroker: true,
  closesNeighbours: true,
  user: undefined,
  env: sandboxed,
  missing: noRoot ?? noBwrap,
};
export const byRootWithoutBwrap: SetUp = {
  name: 'root, without bwrap',
  closesBroker: true,
  closesNeighbours: true,
  user: undefined,
  env: { NODE_SANDBOX: 'off' },
  missing: noRoot,
};
export const byOrdinaryUser: SetUp = {
  name: 'an ordinary user',
  closesBroker: true,
  closesNeighbours: true,
  env: sandboxed,
  ...ordinaryUser(noBwrap),
};
export const byOrdinaryUserWithoutBwrap: SetUp = {
  name: 'an ordinary user, without bwrap',
  closesBroker: false,
  closesNeighbours: false,
  env: bare,
  ...ordinaryUser(undefined),
};

/** Run by root, the tests start it as somebody else who is on every machine. */
function ordinaryUser(missing: string | undefined): Pick<SetUp, 'user' | 'missing'> {
  if (!isRoot) return { user: undefined, missing };
  const [, uid, gid] = /^daemon:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? [];
  const user = { uid: Number(uid), gid: Number(gid) };
  if (uid === undefined) return { user, missing: 'there is no user daemon' };
  const program = ['--eval', `require('node:fs').accessSync(${JSON.stringify(join(root, 'src/main.ts'))})`];
  const { status } = spawnSync(process.execPath, program, { cwd: '/', ...user });
  return { user, missing: status === 0 ? missing : `${root} is closed to the user daemon` };
}

/** A `describe` of one set-up; it says why where it cannot be had. */
export function describeSetUp(setUp: SetUp, tests: () => void): void {
  if (setUp.missing === undefined) describe(`Started by ${setUp.name}`, tests);
  else describe.skip(`Started by ${setUp.name} (skipped: ${setUp.missing})`, tests);
}
