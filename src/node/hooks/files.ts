import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import type { Hook } from '../../broker/catalog.ts';
import { Failure } from '../../broker/errors.ts';
import { isExecutable } from '../../system/executables.ts';
import { makeFolder } from '../owned-directory.ts';
import type { InstanceDirectory } from '../instance-directory.ts';
import type { LocalNode } from '../local-node.ts';
import { removeTree } from '../../system/remove-tree.ts';

type Hooks = Readonly<Record<string, Hook>>;

interface Offering {
  readonly name: string;
  readonly hooks: Hooks;
}

/**
 * Copies the hooks of an offering into the instance's own directory: so any account can run them, and the instance
 * keeps those that it was made with. It gets the folder `hooks/<offering>` as it is, and hooks that lie elsewhere in the
 * catalog's directory. Copies that are there are replaced.
 * @throws Failure when a hook is in no catalog directory, or something in the folder leads out of it
 */
export async function keepHooks(
  node: LocalNode,
  directory: InstanceDirectory,
  offering: Offering,
): Promise<void> {
  const programs = programsOf(offering.hooks);
  if (programs.length === 0) return;
  const draft = `${directory.hooks}.${randomUUID()}`;
  try {
    copyHooks(node, draft, offering);
    // The instance is without hooks for a moment at most; who dies in it does this again.
    if (fs.existsSync(directory.hooks)) fs.renameSync(directory.hooks, `${draft}.old`);
    fs.renameSync(draft, directory.hooks);
  } finally {
    for (const rest of [draft, `${draft}.old`]) await removeTree(rest);
  }
}

/**
 * The hooks of today in place of its own, for an instance that is being removed. Where the catalog on this node does
 * not have them any more, it keeps those that it has.
 */
export async function renewHooks(
  node: LocalNode,
  directory: InstanceDirectory,
  offering: Offering,
): Promise<void> {
  await keepHooks(node, directory, offering).catch(() => undefined);
}

/** Does something with the hooks of today, and leaves the instance its own. */
export async function withHooksOfToday<Result>(
  node: LocalNode,
  directory: InstanceDirectory,
  offering: Offering,
  work: (directory: InstanceDirectory) => Promise<Result>,
): Promise<Result> {
  if (programsOf(offering.hooks).length === 0) return work(directory);
  const copy = `${directory.hooks}.${randomUUID()}`;
  try {
    return await work(isCopied(node, copy, offering) ? { ...directory, hooks: copy } : directory);
  } finally {
    await removeTree(copy);
  }
}

function isCopied(node: LocalNode, copy: string, offering: Offering): boolean {
  try {
    copyHooks(node, copy, offering);
    return true;
  } catch {
    return false;
  }
}

function copyHooks(node: LocalNode, to: string, { name, hooks }: Offering): void {
  for (const program of programsOf(hooks)) copyProgram(node, to, program, join('hooks', name));
}

/** The instance's own copy of a hook's program. @throws Failure when it has none */
export function findHookFile(directory: InstanceDirectory, program: string): string {
  const file = join(directory.hooks, posix.normalize(program));
  if (isExecutable(file)) return file;
  throw misconfigured(`The instance has no copy of the hook ${program} that can be run.`);
}

/** A hook whose program is in no catalog directory, or cannot be run; undefined when all are well. */
export function findMissingHook(node: LocalNode, hooks: Hooks): string | undefined {
  return programsOf(hooks).find((program) => findHome(node, program) === undefined);
}

/** As paths in a catalog directory; programs without a `/` are the system's. */
function programsOf(hooks: Hooks): readonly string[] {
  const programs = Object.values(hooks).map(({ run: [program = ''] }) => program);
  return [...new Set(programs.filter((program) => program.includes('/')).map((it) => posix.normalize(it)))];
}

/** The first catalog directory that has it. */
function findHome({ catalogDirs }: LocalNode, program: string): string | undefined {
  return catalogDirs.find((directory) => isExecutable(join(directory, program)));
}

function copyProgram(node: LocalNode, draft: string, program: string, folder: string): void {
  const home = findHome(node, program);
  if (home === undefined) throw misconfigured(`No catalog directory has an executable ${program}.`);
  const isInFolder = program.startsWith(`${folder}/`);
  const part = isInFolder ? folder : program;
  if (fs.lstatSync(join(draft, part), { throwIfNoEntry: false })) return;
  const root = fs.realpathSync(join(home, isInFolder ? folder : dirname(program)));
  requireInside(fs.realpathSync(home), root);
  makeParents(node, draft, dirname(part));
  copy({ node, root, from: isInFolder ? root : fs.realpathSync(join(home, program)), to: join(draft, part) });
}

interface Copy {
  readonly node: LocalNode;
  /** Nothing outside of it is copied. */
  readonly root: string;
  readonly from: string;
  readonly to: string;
}

function copy({ node, root, from, to }: Copy): void {
  const found = fs.lstatSync(from);
  requireInside(root, from);
  if (found.isDirectory()) {
    makeHookFolder(node, to);
    for (const name of fs.readdirSync(from)) {
      copy({ node, root, from: join(from, name), to: join(to, name) });
    }
  } else if (found.isSymbolicLink()) {
    fs.symlinkSync(relative(fs.realpathSync(dirname(from)), fs.realpathSync(from)) || '.', to);
  } else if (found.isFile()) {
    fs.copyFileSync(from, to, fs.constants.COPYFILE_EXCL);
    if (node.account) fs.lchownSync(to, process.getuid?.() ?? 0, node.account.gid);
    fs.chmodSync(to, found.mode & 0o111 ? 0o550 : 0o440);
  }
}

/** A link in a catalog must not hand out what the broker can read elsewhere. */
function requireInside(root: string, path: string): void {
  const real = fs.realpathSync(path);
  if (real === root || real.startsWith(`${root}/`)) return;
  throw misconfigured(`${path} leads out of ${root}.`);
}

function makeParents(node: LocalNode, draft: string, part: string): void {
  if (part !== '.') makeParents(node, draft, dirname(part));
  makeHookFolder(node, join(draft, part));
}

/** The account may look into it and change nothing. */
function makeHookFolder({ account }: LocalNode, path: string): void {
  const owner = account && { uid: process.getuid?.() ?? 0, gid: account.gid };
  makeFolder(path, account ? 0o750 : 0o700, owner);
}

/** What only the operator can mend; the detail says where. */
export function misconfigured(detail: string): Failure {
  return new Failure('misconfigured', 'The operator must complete the definition of this service.', {
    detail,
  });
}
