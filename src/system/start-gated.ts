import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { isRecord } from './private-file.ts';
import { isExecutable, findExecutable } from './executables.ts';
import { identityOf, type ProcessIdentity } from './process-identity.ts';
import type { Host, Sandbox } from './account.ts';
import { readCommandLine } from './proc.ts';
import { programBehind } from './sandbox/inside.ts';
import { passedBy } from './sandbox/wrap.ts';
import { resolve } from 'node:path';
import { rlimitNames, rlimitWords, takeRlimits } from './limits/rlimits.ts';
import type { Beginning, Begun, Exit } from './starter/beginning.ts';

export interface Command {
  /** The program, by its name on the node's path or as a path from `cwd`, and its arguments. */
  readonly command: readonly string[];
  readonly cwd: string;
  /** All of its environment. Names must be such as a shell takes: letters, digits and _. */
  readonly env: Readonly<Record<string, string>>;
  /** What it must be able to read, beside what all programs of its sandbox can. */
  readonly reads?: readonly string[] | undefined;
}

/** A process that exists and waits at a gate: it becomes the program when the gate is opened. */
interface AtGate {
  readonly identity: ProcessIdentity;
  open(): void;
  /** Has it become the program? */
  readonly isProgram: () => boolean;
  /** Ends it when it still waits; afterwards the broker holds nothing of it. */
  close(): void;
}

export interface Gated extends AtGate {
  readonly child: ChildProcess;
}

/** One that shall outlive the broker. */
export interface GatedForLong extends AtGate {
  /** How it ended, as far as anybody can tell; undefined as long as it runs. */
  readonly ended: () => Exit | undefined;
  /** The broker does not wait for it. */
  readonly release: () => void;
}

/** For standard input, output and error, as `spawn` takes them. */
export type Channels = readonly ['ignore' | 'pipe', 'pipe' | number, 'pipe' | number];

/**
 * Starts a process in a session of its own, as the node's account, and holds it at a gate: so its identity can
 * be written down before it does anything, and it be put under the limits of its instance. When the broker dies before the gate is opened, the process ends.
 * @throws Error when there is no such program, or no process could be started
 */
export async function startGated(host: Host, command: Command, channels: Channels): Promise<Gated> {
  const { command: words, ...options } = beginningOf(host, command);
  const [shell = '', ...args] = words;
  const stdio = [...channels, 'pipe', 'ignore', 'ignore', 'ignore'] as const;
  const child = spawn(shell, args, { ...options, detached: true, stdio: [...stdio] });
  heard(child);
  await once(child, 'spawn').catch((error: unknown) => {
    throw notStarted(command, error);
  });
  const gate = child.stdio[3] as Writable;
  const { pid = 0 } = child;
  return {
    child,
    ...(await atGate(host, command, {
      pid,
      open: (text) => void gate.end(text),
      close: () => void gate.destroy(),
    })),
  };
}

/**
 * The same for what shall outlive the broker, by the node's starter where it has one.
 * @param log a descriptor, to which standard output and error are appended
 * @throws as `startGated`
 */
export async function startForLong(host: Host, command: Command, log: number): Promise<GatedForLong> {
  const { limits } = host;
  const doors = limits?.keeper.groups?.doors(limits.group) ?? [];
  const begun = await host.start?.({ ...beginningOf(host, command), doors }, log).catch((error: unknown) => {
    throw notStarted(command, error);
  });
  if (begun) return { ...(await atGate(host, command, begun)), ended: begun.ended, release: () => undefined };
  const { child, ...gated } = await startGated(host, command, ['ignore', log, log]);
  const ended = (): Exit | undefined =>
    child.exitCode === null && child.signalCode === null
      ? undefined
      : { code: child.exitCode, signal: child.signalCode };
  return { ...gated, ended, release: () => child.unref() };
}

function beginningOf(host: Host, command: Command): Omit<Beginning, 'doors'> {
  requireProgram(host, command);
  const { account, sandbox } = host;
  const words = sandbox?.wrap(command, account) ?? command.command;
  const user = sandbox?.becomes === true ? undefined : account;
  return {
    command: ['/bin/sh', '-c', GATE, ...gateName, ...words],
    cwd: command.cwd,
    env: command.env,
    uid: user?.uid,
    gid: user?.gid,
  };
}

function notStarted({ command: [program] }: Command, error: unknown): Error {
  return new Error(`${program} could not be started: ${reasonOf(error)}`, { cause: error });
}

/** Its identity is known, and it is under its limits. */
async function atGate(
  host: Host,
  { command: [program = ''] }: Command,
  begun: Omit<Begun, 'ended'>,
): Promise<AtGate> {
  const { pid, open, close } = begun;
  try {
    const identity = identify(pid, program);
    await limit(host, pid, program);
    return {
      identity,
      open: () => open(`${host.sandbox ? 'shut' : 'go'} ${rlimitWords(host.limits)}\n`),
      isProgram: watchBecoming(pid, host.sandbox),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

/** Whoever cannot be known, be it for want of room to look, goes no further than the gate. */
function identify(pid: number, program: string): ProcessIdentity {
  const identity = identityOf(pid);
  if (!identity) throw new Error(`${program} was ended before it began.`);
  return identity;
}

/** While it waits: nothing of the program ever runs outside its group. */
async function limit({ limits }: Host, pid: number, program: string): Promise<void> {
  try {
    await limits?.keeper.groups?.enter(limits.group, limits.amounts, pid);
  } catch (error) {
    throw new Error(`${program} could not be limited: ${reasonOf(error)}`, { cause: error });
  }
}

/** It may be killed at any moment, and whoever holds its pipes with it: its end tells everything. */
function heard(child: ChildProcess): void {
  child.on('error', ignore);
  // Where the system had no room for it, it has none.
  const pipes = (child.stdio as ChildProcess['stdio'] | undefined) ?? [];
  for (const pipe of pipes) pipe?.on('error', ignore);
}

function ignore(): void {}

/** In a sandbox the program is a child of what the gate becomes: what was once seen behind it is looked at next. */
function watchBecoming(pid: number, sandbox: Sandbox | undefined): () => boolean {
  let last = pid;
  return () => {
    last = programBehind(last, sandbox);
    const commandLine = readCommandLine(last);
    return commandLine.length > 0 && !isGate(commandLine) && sandbox?.isWall(commandLine) !== true;
  };
}

/** Is this the command line of a process that still waits at the gate? */
function isGate(commandLine: readonly string[]): boolean {
  return commandLine[2] === GATE;
}

const gateName = ['purveyor-gate'];

// Arguments are arguments all the way: nothing of them is ever read as shell text. The shell's own variables stay
// with the shell.
const GATE = `
for PURVEYOR_GATE_door in 4 5 6; do echo 0 >&"$PURVEYOR_GATE_door"; done 2>/dev/null
exec 4>&- 5>&- 6>&-
echo inside >&3
read -r PURVEYOR_GATE_word ${rlimitNames} <&3 || exit 125
case "$PURVEYOR_GATE_word" in
go) ;;
shut) trap '' ${passedBy.join(' ')} ;;
*) exit 125 ;;
esac
exec 3<&-
umask 077
${takeRlimits}
unset PURVEYOR_GATE_door PURVEYOR_GATE_word PWD OLDPWD SHLVL _
exec "$@"
`;

function requireProgram({ path }: Host, { command: [program = ''], cwd, env }: Command): void {
  const isPath = program.includes('/');
  if (isPath ? isExecutable(resolve(cwd, program)) : findExecutable(env['PATH'] ?? path, program)) return;
  const where = isPath ? '' : ` on the path ${env['PATH'] ?? path}`;
  const error = new Error(`There is no executable ${program || '(empty name)'}${where}.`);
  throw Object.assign(error, { code: 'ENOENT' });
}

function reasonOf(error: unknown): string {
  return isRecord(error) && typeof error['code'] === 'string' ? error['code'] : String(error);
}
