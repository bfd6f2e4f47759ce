import { setTimeout as pause } from 'node:timers/promises';
import { Failure } from '../../../broker/errors.ts';
import { findCertificate } from '../certificate.ts';
import type { ReadyRule, UnitBlueprint } from '../files/blueprint.ts';
import { askHook, hasHook } from '../../../node/hook-steps.ts';
import { poll } from '../poll.ts';
import { answerReason } from '../reason.ts';
import type { ProcessContext } from '../context.ts';
import { type Answer, exchange, wholeLines } from './tcp.ts';
import { askForPage } from './http.ts';

/** The longest time that one question waits for its answer, in milliseconds. */
const questionLimit = 2_000;
/** Milliseconds that a unit which cannot be asked must have lived to count as started. */
const settling = 250;

/**
 * Waits until each of the units is ready by its rule, at the address that applications use; with a `check_up` hook
 * until that says so.
 * @param limit milliseconds
 * @throws Failure when one ends or is not ready in time, with the tail of its log for the operator
 */
export async function awaitReady(
  context: ProcessContext,
  units: Readonly<Record<string, UnitBlueprint>>,
  limit: number,
): Promise<void> {
  if (hasHook(context, 'check_up')) return awaitHook(context, Object.keys(units), limit);
  const results = await Promise.allSettled(
    Object.entries(units).map(([unit, blueprint]) => awaitUnit(context, unit, blueprint, limit)),
  );
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/**
 * Asks a unit once. Undefined when it has no rule by which it could be asked.
 * @param limit milliseconds
 */
export async function askUnit(
  context: ProcessContext,
  unit: string,
  { ready, ...blueprint }: UnitBlueprint,
  limit: number,
): Promise<Answer | undefined> {
  if (!ready) return undefined;
  if ('command' in ready) return askCommand(context, unit, { ...blueprint, ready }, limit);
  const { signal } = context.work;
  const address = { host: context.node.host, port: ready.port, ca: findCertificate(context.directory)?.ca };
  return 'web' in ready
    ? askForPage(address, ready.web, limit, signal)
    : exchange(address, ready.talk, limit, signal);
}

/** The port that a rule asks. */
export function portOf(rule: ReadyRule | undefined): number | undefined {
  return rule && 'port' in rule ? rule.port : undefined;
}

async function awaitUnit(
  context: ProcessContext,
  unit: string,
  blueprint: UnitBlueprint,
  limit: number,
): Promise<void> {
  const { signal } = context.work;
  const end = performance.now() + limit;
  let last: Answer | undefined;
  const look = async () => {
    if (!(await context.runner.isLive(context, unit)))
      throw await failure(context, unit, 'ended before it was ready');
    if (!blueprint.ready) return true;
    // The last question gets a moment, too, so that what is told is what was wrong.
    const left = Math.max(100, end - performance.now());
    last = await askUnit(context, unit, blueprint, Math.min(questionLimit, left));
    return last?.is === 'ready';
  };
  if (!blueprint.ready) await pause(settling, undefined, { signal });
  if (await poll(look, limit, signal)) return;
  throw await failure(
    context,
    unit,
    `did not get ready within ${limit / 1000} seconds`,
    last && answerReason(last, context.work.redact),
  );
}

async function awaitHook(context: ProcessContext, units: readonly string[], limit: number): Promise<void> {
  const end = performance.now() + limit;
  const mustLive = !hasHook(context, 'start');
  let last = '';
  const look = async () => {
    const ended = mustLive ? await findEnded(context, units) : undefined;
    if (ended !== undefined) throw await failure(context, ended, 'ended before it was ready');
    // Also the last question gets its time: a program needs a moment to begin.
    const result = await askHook(context, 'check_up', 1, {
      atMost: Math.max(questionLimit, end - performance.now()),
    });
    if ('down' in result) last = result.down;
    return 'outputs' in result;
  };
  if (await poll(look, limit, context.work.signal)) return;
  const [first = ''] = units;
  throw await failure(context, first, `did not get ready within ${limit / 1000} seconds`, last);
}

async function findEnded(context: ProcessContext, units: readonly string[]): Promise<string | undefined> {
  const live = await Promise.all(units.map((unit) => context.runner.isLive(context, unit)));
  return units.find((_, index) => !live[index]);
}

async function failure(context: ProcessContext, unit: string, what: string, reason = ''): Promise<Failure> {
  const subject = Object.keys(context.config.processes).length > 1 ? `The process '${unit}'` : 'The service';
  const tail = await context.runner.tail(context, unit, undefined, 30);
  const detail = [reason, tail && `Its log ends with:\n${tail}`].filter(Boolean).join('. ');
  return new Failure('not-ready', `${subject} ${what}.`, { detail: detail || undefined });
}

/** A whole one: of much that a program wrote only the end is kept. */
function lastLine(text: string): string {
  return wholeLines(text).trim().split('\n').at(-1) ?? '';
}

async function askCommand(
  context: ProcessContext,
  unit: string,
  { ready, ...blueprint }: UnitBlueprint & { readonly ready: { readonly command: readonly string[] } },
  limit: number,
): Promise<Answer> {
  const { command } = ready;
  const { signal } = context.work;
  const ran = await context.runner.run(context, unit, blueprint, { command, timeoutMs: limit, signal });
  if (!ran) return { is: 'wrong', reason: `the command that asks it, ${ready.command[0]}, is not there` };
  const { code, timedOut } = ran;
  const said = lastLine(ran.stderr) || lastLine(ran.stdout);
  if (code === 0 && !timedOut) return { is: 'ready' };
  const reason = timedOut
    ? `the command that asks it does not end within ${limit / 1000} s`
    : `the command that asks it says no (exit code ${code ?? 'unknown'})`;
  return { is: timedOut ? 'silent' : 'wrong', reason, said };
}
