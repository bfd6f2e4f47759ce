import type { Readable, Writable } from 'node:stream';
import type { Hook } from '../../broker/catalog.ts';
import { Failure } from '../../broker/errors.ts';
import { isObject, type JsonObject } from '../../broker/json.ts';
import { render, TemplateError } from '../../broker/template.ts';
import { dirValues } from './context.ts';
import { lacksNamed } from './pids.ts';
import { recordRun } from './runs.ts';
import { codeOf } from '../../system/error-code.ts';
import { findHookFile, misconfigured } from './files.ts';
import type { InstanceDirectory } from '../instance-directory.ts';
import type { LocalNode } from '../local-node.ts';
import { logHook } from './log.ts';
import { readMark, writeMarkSync } from '../state-files.ts';
import { type Ran, runProgram } from '../../system/run-program.ts';

export interface HookRun {
  readonly hook: Hook;
  /** As the offering file calls it: `configure`. */
  readonly name: string;
  /** What the hook is told to do, when that has another name: `PURVEYOR_ACTION`. */
  readonly action?: string;
  readonly instanceId: string;
  readonly directory: InstanceDirectory;
  /** What goes to its standard input, see `hookContext`. */
  readonly context: JsonObject;
  /** Template roots for its arguments and its environment. */
  readonly values: JsonObject;
  /** In place of the context. */
  readonly from?: Readable | undefined;
  /** In place of outputs. */
  readonly to?: Writable | undefined;
  /** Milliseconds, where the hook does not say; half a minute when neither does. */
  readonly limit?: number;
  /** Milliseconds, whatever the hook says. */
  readonly atMost?: number;
  /** By which it goes on with the trace that it is a part of. */
  readonly carrier?: Readonly<Record<string, string>> | undefined;
  /** Takes away what is confidential; only then is a text cut. */
  readonly redact: (text: string) => string;
  readonly signal: AbortSignal;
}

/** `again`: it asks to be called later; `down`: a check_up or monitor says that it is not up, with what it wrote last. */
export type HookResult =
  { readonly outputs: JsonObject } | { readonly again: true } | { readonly down: string };

/**
 * Runs a hook to its end, as the node's account in the instance's data directory. One that is `once` and has been
 * done is not run, and gives what it gave then; one whose broker died before it was done runs again. What it writes
 * to its standard error is kept in `log/hooks.log`.
 * @throws Failure 'hook' when it failed or wrote what is no JSON object, 'timeout' when it was ended at its limit,
 * 'misconfigured' when it is not there or needs a value that there is not; the signal's reason when it was given up
 */
export async function runHook(node: LocalNode, run: HookRun): Promise<HookResult> {
  const mark = `once-${run.name}`;
  const before = run.hook.once ? readMark(run.directory, mark) : undefined;
  if (before) return { outputs: isObject(before['outputs']) ? before['outputs'] : {} };
  const ran = await start(node, run);
  logHook(node, run.directory, run.name, ran.stderr);
  const result = readResult(run, ran);
  if (run.hook.once && 'outputs' in result) writeMarkSync(run.directory, mark, { outputs: result.outputs });
  return result;
}

async function start(node: LocalNode, run: HookRun): Promise<Ran> {
  const { name, instanceId, directory, context, signal } = run;
  const surroundings = { command: commandOf(run), cwd: directory.data, env: environmentOf(node, run) };
  const record = await recordRun(directory, name, instanceId);
  try {
    return await runProgram(node, {
      ...surroundings,
      // They may be a copy of their own.
      reads: [directory.hooks],
      input: `${JSON.stringify(context)}\n`,
      from: run.from,
      to: run.to,
      timeoutMs: limitOf(run),
      signal,
      onStart: record.begin,
    });
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw misconfigured(`The step ${name} cannot run. ${(error as Error).message}`);
  } finally {
    record.end();
  }
}

const usualLimit = 30_000;

function limitOf({ hook, limit = usualLimit, atMost = Infinity }: HookRun): number {
  return Math.min(hook.timeout ?? limit, atMost);
}

function environmentOf({ path }: LocalNode, run: HookRun) {
  const { hook, name, action = name, instanceId, directory, values, carrier = {} } = run;
  const own = Object.entries(hook.env)
    .filter(([, text]) => !lacksNamed(text, values))
    .map(([key, text]) => [key, filled(text, name, values)]);
  const places = Object.entries(dirValues(directory)).map(([key, path]) => [
    `PURVEYOR_DIR_${key.toUpperCase()}`,
    path,
  ]);
  return {
    ...(Object.fromEntries(own) as Record<string, string>),
    PATH: path,
    LANG: 'C.UTF-8',
    PURVEYOR_ACTION: action,
    PURVEYOR_INSTANCE: instanceId,
    ...(Object.fromEntries(places) as Record<string, string>),
    ...(Object.fromEntries(
      Object.entries(carrier).map(([key, value]) => [key.toUpperCase(), value]),
    ) as Record<string, string>),
  };
}

function commandOf({ hook, name, directory, values }: HookRun): readonly string[] {
  const [program = '', ...args] = hook.run;
  const file = program.includes('/') ? findHookFile(directory, program) : program;
  return [file, ...args.map((arg) => filled(arg, name, values))];
}

/** Trying again would not help where a value is missing. */
function filled(template: string, name: string, values: JsonObject): string {
  try {
    const value = render(template, values);
    return typeof value === 'string' ? value : JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw misconfigured(`The step ${name} cannot be filled in. ${error.message}`);
  }
}

function readResult(run: HookRun, ran: Ran): HookResult {
  const { name } = run;
  const asks = name === 'check_up' || name === 'monitor';
  const said = run.redact(ran.stderr.trim());
  if (ran.timedOut) {
    const seconds = limitOf(run) / 1000;
    throw failure('timeout', `The step ${name} was ended after its limit of ${seconds} s`, said);
  }
  if (ran.tooMuch) throw failure('hook', `The step ${name} wrote more than 64 kB of output`, said);
  if (ran.code === 75) return { again: true };
  if (ran.code === 1 && asks) return { down: lastLines(said) };
  if (ran.code !== 0) {
    const how = ran.code === undefined ? 'was ended by a signal' : `failed (exit code ${ran.code})`;
    throw failure('hook', `The step ${name} ${how}`, said);
  }
  return { outputs: asks ? {} : readOutputs(name, ran.stdout, said) };
}

function readOutputs(name: string, stdout: string, said: string): JsonObject {
  if (stdout.trim() === '') return {};
  try {
    const outputs: unknown = JSON.parse(stdout);
    if (isObject(outputs)) return outputs;
  } catch {
    // What it wrote may be anything, also a secret: it is not told.
  }
  throw failure('hook', `The step ${name} wrote what is no JSON object to its output`, said);
}

function failure(word: string, sentence: string, said: string): Failure {
  if (said === '') return new Failure(word, `${sentence}.`);
  return new Failure(word, `${sentence}: ${lastLines(said)}`, { detail: said.slice(-4000) });
}

/** The last of what it wrote, for people: a few lines as one. */
function lastLines(said: string): string {
  return said
    .split(/\s*\n\s*/)
    .slice(-3)
    .join(' / ')
    .slice(-500);
}
