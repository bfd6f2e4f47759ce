import { withHooksOfToday } from '../../node/hooks/files.ts';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../broker/errors.ts';
import { type JsonObject, jsonOf } from '../../broker/json.ts';
import { keyOf } from '../../broker/key.ts';
import type { Made, Step, Work } from '../../broker/provisioner.ts';
import type { ServiceBinding } from '../../broker/records.ts';
import { codeOf, isFull } from '../../system/error-code.ts';
import { readMark, writeMarkSync } from '../../node/state-files.ts';
import { findCertificate } from './certificate.ts';
import { drawExchange } from './files/blueprint.ts';
import type { ExchangeTemplate } from './config.ts';
import { isRunning } from './units/end.ts';
import { callHook, hasHook } from '../../node/hook-steps.ts';
import { limitOf } from '../../node/step-limits.ts';
import { type NamedSteps, runSequence, TryLater, type Attempt } from '../../node/step-sequence.ts';
import { answerReason } from './reason.ts';
import type { UnitSettings } from './units/runner.ts';
import { type ProcessContext, contextOf } from './context.ts';
import { exchange } from './probe/tcp.ts';

/** Makes what a binding has of its own; without exchanges and hook there is nothing, and it has the instance's. */
export function bind(settings: UnitSettings, work: Work): Promise<Step<Made>> {
  const steps: NamedSteps = {
    async bind({ kept, tries }: Attempt) {
      const context = contextOf(settings, work, kept);
      if (!hasDeeds(context, 'bind')) return { to: 'end' };
      await requireRunning(context);
      await talkAll(context, context.config.bind, limitOf(work.plan.operating, 'bind'));
      const told = await callHook(context, 'bind', tries);
      rmSync(pendingFile(context), { force: true });
      return { to: 'end', did: 'bind', keep: { told } };
    },
  };
  const { outputs, roots } = contextOf(settings, work);
  // Of its own: those of the instance are as they were when it was made, and the authorities may have followed each other.
  const { tls } = roots;
  return runSequence(steps, 'bind', work, ({ told }) => ({
    facts: jsonOf({ tls, outputs: told === undefined ? undefined : { ...outputs, bind: told } }),
  }));
}

/**
 * Removes what a binding had of its own. While nothing of the instance runs, which could be told, it is noted, and
 * done as soon as something runs again: an instance that is at rest, or broken, can be removed all the same.
 */
export function unbind(settings: UnitSettings, work: Work): Promise<Step<void>> {
  const steps: NamedSteps = {
    async unbind({ kept, tries }: Attempt) {
      const context = contextOf(settings, work, kept);
      if (!hasDeeds(context, 'unbind')) return { to: 'end' };
      if (await isRunning(context)) await undo(context, tries);
      else notePending(context);
      return { to: 'end', did: 'unbind' };
    },
  };
  return runSequence(steps, 'unbind', work, () => undefined);
}

/** Does what was noted while nothing ran. */
export async function settlePending(
  settings: UnitSettings,
  { directory, work }: ProcessContext,
): Promise<void> {
  for (const name of pendingIn(directory.state)) {
    const noted = readMark(directory, name) as { values: JsonObject; binding: ServiceBinding } | undefined;
    if (!noted) continue;
    const { values, binding } = noted;
    await undo(contextOf(settings, { ...work, binding, values: { ...values, ...factsIn(work.values) } }), 1);
    rmSync(join(directory.state, `${name}.json`), { force: true });
  }
}

/** The facts may have changed since it was noted; what is of the binding not. */
function factsIn({ node, ports, deps, tls }: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries({ node, ports, deps, tls }).filter(([, fact]) => fact !== undefined),
  ) as JsonObject;
}

function hasDeeds(context: ProcessContext, name: 'bind' | 'unbind'): boolean {
  return context.config[name].length > 0 || hasHook(context, name);
}

/** Nothing is waited for: as long as a bind is open, nothing of its instance is started. */
async function requireRunning(context: ProcessContext): Promise<void> {
  if (await isRunning(context)) return;
  throw context.work.instance.stopped
    ? new Failure('stopped', 'The instance is stopped. Start it and bind again.')
    : new Failure('not-running', 'The service does not run at the moment. Try again later.');
}

async function undo(context: ProcessContext, tries: number): Promise<void> {
  await talkAll(context, context.config.unbind, limitOf(context.work.plan.operating, 'unbind'));
  const { node, directory, work } = context;
  const { offeringName: name, operating } = work.plan;
  await withHooksOfToday(node, directory, { name, hooks: operating.hooks }, (today) =>
    callHook({ ...context, directory: today }, 'unbind', tries),
  );
}

/**
 * One connection after another. What is silent may come back within a moment; it is not waited for longer, for as long
 * as a bind or unbind is open, nobody can restart what hangs. What answers otherwise than expected will not change.
 */
async function talkAll(
  { node, directory, numbers, roots, work }: ProcessContext,
  exchanges: readonly ExchangeTemplate[],
  limit: number,
): Promise<void> {
  const ca = findCertificate(directory)?.ca;
  for (const template of exchanges) {
    const port = numbers[template.port] ?? 0;
    const answer = await exchange(
      { host: node.host, port, ca },
      drawExchange(template, roots),
      Math.min(limit, 5000),
      work.signal,
    );
    work.signal.throwIfAborted();
    if (answer.is === 'silent')
      throw new TryLater(
        new Failure('not-now', 'The service does not answer at the moment. Try again later.', {
          detail: `At port '${template.port}': ${answer.reason}.`,
        }),
      );
    if (answer.is === 'ready') continue;
    throw new Failure('refused', 'The service has not accepted the change of its bindings.', {
      detail: `At port '${template.port}': ${answerReason(answer, work.redact)}`,
    });
  }
}

function notePending(context: ProcessContext): void {
  const { directory, work } = context;
  try {
    const { binding, values } = work;
    writeMarkSync(directory, `${prefix}${markOf(binding)}`, {
      binding,
      values,
    } as unknown as JsonObject);
  } catch (error) {
    if (isFull(error))
      throw new Failure(
        'no-room',
        'The service does not run, and its disk has no room to note the change. Try again when it runs.',
      );
    // Without its directory it is gone, with all its bindings.
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function pendingFile({ directory, work }: ProcessContext): string {
  return join(directory.state, `${prefix}${markOf(work.binding)}.json`);
}

/** By the key of the binding; broker 0.1.0 went by its id. */
function markOf(binding: ServiceBinding | undefined): string {
  return binding?.key ?? keyOf(binding?.id ?? '');
}

const prefix = 'unbind-';

function pendingIn(state: string): readonly string[] {
  return readdirSync(state)
    .filter((name) => name.startsWith(prefix) && name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length));
}
