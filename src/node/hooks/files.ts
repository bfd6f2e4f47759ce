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
import { areKept, noteKept, type Original, stateOf } from './kept.ts';

type Hooks = Readonly<Record<string, Hook>>;

interface Offering {
  readonly name: string;
  readonly hooks: Hooks;
}

/**
 * Copies the hooks of an offering into the instance's own directory: so any account can run them, and the instance
 * keeps those that it was made with. It gets the folder `hooks/<offering>` as it is, and hooks that lie elsewhere in the
 * catalog's directory. Copies that are there are replaced, unless they are those of today.
 * @throws Failure when a hook is in no catalog directory, or something in the folder leads out of it
 */
export async function keepHooks(
  node: LocalNode,
  directory: InstanceDirectory,
  offering: Offering,
): Promise<void> {
  const sources = sourcesOf(node, offering);
  const state = stateOf(sources);
  if (sources.length === 0 || isKept(node, directory, state)) return;
  const draft = `${directory.hooks}.${randomUUID()}`;
  try {
    copyAll(node, draft, sources);
    // The instance is without hooks for a moment at most; who dies in it does this again.
    if (fs.existsSync(directory.hooks)) fs.renameSync(directory.hooks, `${draft}.old`);
    fs.renameSync(draft, directory.hooks);
    noteKept(directory, state);
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
  const copy = `${directory.hooks}.${randomUUID()}`;
  try {
    return await work(isCopied(node, directory, offering, copy) ? { ...directory, hooks: copy } : directory);
  } finally {
    await removeTree(copy);
  }
}

/** Not where its own are those of today, and not where those cannot be had. */
function isCopied(node: LocalNode, directory: InstanceDirectory, offering: Offering, copy: string): boolean {
  try {
    const sources = sourcesOf(node, offering);
    if (sources.length === 0 || isKept(node, directory, stateOf(sources))) return false;
    copyAll(node, copy, sources);
    return true;
  } catch {
    return false;
  }
}

/** Programs that run as the broker's own user may have changed their copies. */
function isKept({ account }: LocalNode, directory: InstanceDirectory, state: string): boolean {
  return account !== undefined && areKept(directory, state);
}

function copyAll(node: LocalNode, to: string, sources: readonly Source[]): void {
  for (const { root, from, part } of sources) {
    makeParents(node, to, dirname(part));
    copy({ node, root, from, to: join(to, part) });
  }
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

/** What is to be copied for one program or more. */
interface Source extends Original {
  /** Nothing outside of it is copied. */
  readonly root: string;
}

function sourcesOf(node: LocalNode, { name, hooks }: Offering): readonly Source[] {
  const folder = join('hooks', name);
  const sources = programsOf(hooks).map((program) => sourceOf(node, program, folder));
  return [...new Map(sources.map((source) => [source.part, source])).values()];
}

function sourceOf(node: LocalNode, program: string, folder: string): Source {
  const home = findHome(node, program);
  if (home === undefined) throw misconfigured(`No catalog directory has an executable ${program}.`);
  const isInFolder = program.startsWith(`${folder}/`);
  const root = fs.realpathSync(join(home, isInFolder ? folder : dirname(program)));
  requireInside(fs.realpathSync(home), root);
  const from = isInFolder ? root : fs.realpathSync(join(home, program));
  return { root, from, part: isInFolder ? folder : program };
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
  if (found.isDirectory()) {
    makeHookFolder(node, to);
    for (const name of fs.readdirSync(from)) {
      copy({ node, root, from: join(from, name), to: join(to, name) });
    }
  } else if (found.isSymbolicLink()) {
    requireInside(root, from);
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
