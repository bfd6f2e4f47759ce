import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { endProcess } from './end-process.ts';
import { type Command, startGated } from './start-gated.ts';
import type { ProcessIdentity } from './process-identity.ts';
import type { Host } from './account.ts';
import { isShortage } from './error-code.ts';
import { until } from './until.ts';

export interface Program extends Command {
  /** Its standard input; empty when absent. */
  readonly input?: string;
  /** In its place: what is read from this, of any size. When it breaks, the program is ended before it sees an end. */
  readonly from?: Readable | undefined;
  /** Where its standard output goes, of any size, which is ended with it. When it breaks, so is the program. */
  readonly to?: Writable | undefined;
  readonly timeoutMs: number;
  /** Bytes of standard output; 65536 when absent. */
  readonly maxOutput?: number;
  /** Ends the program, too. */
  readonly signal?: AbortSignal;
  /** Told of the process before the program begins; when it throws, the program never does. */
  readonly onStart?: (identity: ProcessIdentity) => void;
}

/** How a program ended. */
export interface Ran {
  /** Undefined when a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
  /** The last 16 kB. */
  readonly stderr: string;
  /** It was ended at its time limit. */
  readonly timedOut: boolean;
  /** It was ended when it had written too much; `stdout` is cut there. */
  readonly tooMuch: boolean;
}

/**
 * Runs a program to its end, in a session of its own, as the node's account. At its time limit, when it writes too
 * much or when it is given up, SIGTERM goes to all of the session, and SIGKILL 2 s later.
 * @throws Error when there is no such program, or something of it is still there after SIGKILL; the signal's reason
 * when it was given up; what `from` or `to` broke with
 */
export async function runProgram(host: Host, program: Program): Promise<Ran> {
  program.signal?.throwIfAborted();
  const gated = await startGated(host, program, ['pipe', 'pipe', 'pipe']);
  const { child } = gated;
  try {
    // Nobody has listened to it while the process came into being.
    program.signal?.throwIfAborted();
    program.onStart?.(gated.identity);
  } catch (error) {
    gated.close();
    throw error;
  }
  const ended = once(child, 'exit');
  const watch = watchOver(gated.identity, program);
  const flow = flowOf(child, program, () => watch.end('broken'));
  const stdout = program.to
    ? () => ''
    : collect(child, program.maxOutput ?? 65_536, () => watch.end('tooMuch'));
  const stderr = collectTail(child);
  gated.open();
  if (!program.from) give(child, program.input ?? '');
  // One that not even SIGKILL ends is not waited for.
  const [code] = (await Promise.race([flow.ended(ended), watch.failed]).finally(async () => {
    await watch.settled().finally(() => drained(child));
    flow.close();
  })) as [number | null];
  if (watch.cause() === 'aborted') program.signal?.throwIfAborted();
  flow.requireUnbroken();
  return {
    code: endedBySignal(host, code) ? undefined : (code ?? undefined),
    stdout: stdout(),
    stderr: stderr(),
    timedOut: watch.cause() === 'timedOut',
    tooMuch: watch.cause() === 'tooMuch',
  };
}

/** A sandbox tells the signal that ended the program as a shell does: 128 and its number. */
function endedBySignal({ sandbox }: Host, code: number | null): boolean {
  return sandbox !== undefined && code !== null && code > 128 && code <= 128 + 64;
}

interface Flow {
  /** Waits for what it has written to arrive, too. */
  ended<Result>(exit: Promise<Result>): Promise<Result>;
  close(): void;
  requireUnbroken(): void;
}

function flowOf({ stdin, stdout }: ChildProcess, { from, to }: Program, onBroken: () => void): Flow {
  let cause: { readonly error: unknown } | undefined;
  const fail = (error: unknown) => {
    cause ??= { error };
    onBroken();
  };
  if (from && stdin) {
    from.once('error', fail);
    // A program need not read what it is given.
    stdin.once('error', () => from.destroy());
    from.pipe(stdin);
  }
  const written = to && stdout ? pipeline(stdout, to).catch(fail) : Promise.resolve();
  return {
    async ended(exit) {
      const result = await exit;
      await written;
      return result;
    },
    close: () => void from?.destroy(),
    requireUnbroken() {
      if (cause) throw cause.error;
    },
  };
}

type Cause = 'timedOut' | 'tooMuch' | 'aborted' | 'broken';

interface Watch {
  end(cause: Cause): void;
  cause(): Cause | undefined;
  /** Rejects when it could not be ended; never resolves. */
  readonly failed: Promise<never>;
  /** Takes the limits away; waits for an ending that has begun. */
  settled(): Promise<void>;
}

function watchOver(identity: ProcessIdentity, { timeoutMs, signal }: Program): Watch {
  let cause: Cause | undefined;
  let ending: Promise<unknown> = Promise.resolve();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  const end = (why: Cause): void => {
    if (cause) return;
    cause = why;
    ending = endForSure(identity);
    ending.catch(failed.reject);
  };
  const timer = setTimeout(() => end('timedOut'), timeoutMs);
  const onAbort = (): void => end('aborted');
  signal?.addEventListener('abort', onAbort);
  return {
    end,
    cause: () => cause,
    failed: failed.promise,
    async settled() {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      await ending;
    },
  };
}

/** Milliseconds: for want of descriptors nobody can be looked at, and so nobody be ended. */
const endingPatience = { first: 50, longest: 1000, limit: 60_000 };

/** Tries it again as long as this machine has no room to look: what has reached its limit must not run on unseen. */
async function endForSure(identity: ProcessIdentity): Promise<void> {
  const ended = await until(async () => {
    try {
      await endProcess(identity, { termMs: 2000, killMs: 2000 });
      return true;
    } catch (error) {
      if (!isShortage(error)) throw error;
      return false;
    }
  }, endingPatience);
  if (!ended) throw new Error(`Process ${identity.pid} could not be looked at to be ended.`);
}

/** The bytes up to the limit; beyond it `onTooMuch` is called. */
function collect({ stdout }: ChildProcess, limit: number, onTooMuch: () => void): () => string {
  const chunks: Buffer[] = [];
  let size = 0;
  stdout?.on('data', (chunk: Buffer) => {
    if (size < limit) chunks.push(chunk.subarray(0, limit - size));
    size += chunk.length;
    if (size > limit) onTooMuch();
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

const tailSize = 16_384;

function collectTail({ stderr }: ChildProcess): () => string {
  let tail: Buffer = Buffer.alloc(0);
  stderr?.on('data', (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-tailSize);
  });
  return () => tail.toString('utf8');
}

function give({ stdin }: ChildProcess, input: string): void {
  // A program need not read what it is given.
  stdin?.on('error', () => undefined);
  stdin?.end(input);
}

/** What it wrote last may still be on its way; something it left running may hold the pipes for ever. */
async function drained(child: ChildProcess): Promise<void> {
  const pipes = [child.stdout, child.stderr].filter((pipe) => pipe !== null);
  const ends = pipes.filter((pipe) => !pipe.closed).map((pipe) => once(pipe, 'close'));
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise((resolve) => (timer = setTimeout(resolve, 250)));
  await Promise.race([Promise.all(ends), patience]);
  clearTimeout(timer);
  for (const pipe of [child.stdin, ...pipes]) pipe?.destroy();
}
