import { chmodSync, existsSync, lstatSync, mkdtempSync, realpathSync, rmdirSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { makeDirectory } from '../system/make-directory.ts';
import type { UserRange } from '../broker/nodes.ts';
import { can, chooseAccount } from '../system/account.ts';
import { lockDirectory } from '../system/directory-lock.ts';
import { codeOf } from '../system/error-code.ts';
import { chooseUsers, likelyRunner } from './choose-users.ts';
import { accountOf } from './node-of-instance.ts';
import type { LocalNode } from './local-node.ts';
import { removeLeftGroups } from './limits/left-groups.ts';
import { openSandbox, type SandboxOptions, type SandboxParts } from './open-sandbox.ts';
import type { Account } from '../system/account.ts';
import { createDiskMeter } from '../system/limits/disk-meter.ts';
import { openLimits } from '../system/limits/open-limits.ts';
import { readBootId } from '../system/proc.ts';
import { openStarter } from '../system/starter/starter.ts';

export interface NodeOptions {
  readonly name: string;
  readonly host: string;
  readonly bind: string;
  /** Made when it is not there. */
  readonly directory: string;
  /** Who runs programs when the broker is root: a user of the system; `nobody` when absent. */
  readonly account?: string;
  /** Numbers of users for instances, when the broker is root; `any`: such as nobody of this machine has. */
  readonly users?: UserRange | 'any';
  /** Users that may not be among them. */
  readonly reserved?: readonly number[];
  /** Where the machine keeps which node has which numbers; below /var/lib or /run when absent. */
  readonly registries?: readonly string[];
  readonly path: string;
  readonly catalogDirs: readonly string[];
  /** Where the node's things are kept when the account cannot reach `directory`; /var/lib when absent. */
  readonly shelter?: string;
  /** How programs are shut in; absent: they are not. */
  readonly sandbox?: SandboxOptions;
  /** Is told what people should know. */
  readonly note: (message: string) => void;
}

export interface OpenNode extends LocalNode {
  /** This start of this machine: its boot id. */
  readonly machine: string;
  /** Lets another broker be this node. */
  readonly close: () => void;
}

/**
 * Becomes the node of a directory: makes it, chooses the account and takes the lock, which a dead broker cannot keep.
 * `directory` of what is returned is the real path.
 * @throws Error with a sentence for the operator: another broker has the directory, the account is unknown or cannot
 * reach it, programs could not listen on `bind`, the system has no /proc, or a sandbox is required and does not work
 */
export async function openNode(options: NodeOptions): Promise<OpenNode> {
  if (!existsSync('/proc/self/stat')) {
    throw new Error('This system has no /proc, without which a node cannot tell its processes from others.');
  }
  const account = chooseAccount(options.account);
  const runner = likelyRunner(options, account);
  await requireOwnAddress(options.bind);
  const directory = await openDirectory(options, runner);
  const unlock = takeLock(directory);
  try {
    const parts = await openParts(options, account, directory);
    const groups = parts.keeper?.groups;
    if (groups) await removeLeftGroups(directory, groups, options.note);
    const starter = openStarter();
    return {
      ...parts,
      start: starter.start,
      close() {
        starter.close();
        groups?.close();
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** What needs the directory and its lock. */
async function openParts(
  options: NodeOptions,
  account: Account | undefined,
  directory: string,
): Promise<Omit<OpenNode, 'close'>> {
  const { name, host, bind, path, catalogDirs } = options;
  const users = await chooseUsers(options, account, directory);
  const runner = users ? accountOf(users.first) : account;
  const found = await openWalls(options, directory, { account: runner, own: users !== undefined });
  const own = { name, host, bind, directory, users, path, catalogDirs, ...found };
  return { ...own, account, meter: createDiskMeter(path), machine: readBootId() };
}

/** Both are tried out, which takes its time, at once. */
async function openWalls(
  { name, path, note, sandbox = noSandbox }: NodeOptions,
  directory: string,
  runner: Pick<SandboxParts, 'account' | 'own'>,
): Promise<Pick<LocalNode, 'isolation' | 'bubblewrap' | 'keeper'>> {
  const hidden = [...sandbox.hidden, directory];
  const [apart, keeper] = await Promise.allSettled([
    openSandbox({ sandbox: { ...sandbox, hidden }, ...runner, path, note }),
    openLimits(name, directory, join(directory, 'groups.json'), runner.own),
  ]);
  if (apart.status === 'rejected') throw apart.reason;
  if (keeper.status === 'rejected') throw keeper.reason;
  return { ...apart.value, keeper: keeper.value };
}

const noSandbox: SandboxOptions = { use: 'off', hidden: [], reads: [] };

/** Found out by listening: each provision would only find it out again. */
async function requireOwnAddress(bind: string): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((done, fail) => {
      server.on('error', fail);
      server.listen({ host: bind, port: 0, exclusive: true }, done);
    });
  } catch (error) {
    throw new Error(
      `Cannot listen on NODE_BIND (${codeOf(error)}). It must be an address of this machine, and is NODE_HOST unless it is set.`,
      { cause: error },
    );
  }
  await new Promise((closed) => server.close(closed));
}

async function openDirectory(
  { directory, shelter = '/var/lib', note }: NodeOptions,
  account: Account | undefined,
): Promise<string> {
  const path = resolve(directory);
  makeDirectory(dirname(path));
  if (!lstatSync(path, { throwIfNoEntry: false })) {
    if (await can(account, '-x', dirname(path))) makeDirectory(path, 0o700);
    else makeShelter(path, account, shelter, note);
  }
  const real = follow(path);
  // Through it goes who runs an instance, whichever account that is.
  chmodSync(real, account ? 0o711 : 0o700);
  if (await can(account, '-x', real)) return real;
  const who = account ? `The user ${account.name}` : 'This user';
  throw new Error(
    `${who} cannot enter ${real}: open it and the folders above it, or choose another DATA_DIR.`,
  );
}

/** Where the account cannot reach the directory, a link in its place leads to one that it can. */
function makeShelter(
  path: string,
  account: Account | undefined,
  shelter: string,
  note: NodeOptions['note'],
): void {
  const folder = mkdtempSync(join(shelter, 'purveyor-node-'));
  try {
    symlinkSync(folder, path);
    const who = account?.name ?? 'the broker';
    note(`${path} is a link to ${folder}, where instances are kept: ${who} cannot enter ${dirname(path)}.`);
  } catch (error) {
    rmdirSync(folder);
    // Another broker that started at the same moment made it first.
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

function follow(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new Error(
      `${path} is a link to a folder that is gone: bring it back, or remove the link to begin with an empty one.`,
      { cause: error },
    );
  }
}

function takeLock(directory: string): () => void {
  try {
    return lockDirectory(join(directory, 'lock'));
  } catch (error) {
    throw new Error(
      `${directory} cannot be this node's directory. ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}
