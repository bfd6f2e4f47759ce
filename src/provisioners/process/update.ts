import { Failure } from '../../broker/errors.ts';
import type { Made, Step, Work } from '../../broker/provisioner.ts';
import { findConfigured, isConfigured } from './files/state.ts';
import { configure, drawContext } from './files/configure.ts';
import { endUnits, endingSteps, isRunning } from './units/end.ts';
import { callHook, hasHook, keepOutputs } from '../../node/hook-steps.ts';
import { requireDisk } from '../../node/disk-limit.ts';
import { readyLimit } from '../../node/step-limits.ts';
import { findPrevious, forgetPrevious, keepPrevious, putBack } from './files/rollback.ts';
import { settle, takePorts } from './provision.ts';
import { awaitReady } from './probe/ready.ts';
import {
  type NamedStep,
  type NamedSteps,
  runSequence,
  isLastTry,
  type Next,
  TryLater,
  type Attempt,
} from '../../node/step-sequence.ts';
import { factsOf } from '../../node/instance-context.ts';
import type { UnitSettings } from './units/runner.ts';
import { type ProcessContext, contextOf } from './context.ts';
import { findTakenPorts, startUnits, wantedUnits } from './units/start.ts';

/**
 * Makes an instance what its new plan and parameters say. When that changes no file, command or environment,
 * nothing is restarted; when the new does not come up, the old is put back.
 */
export function update(settings: UnitSettings, work: Work): Promise<Step<Made>> {
  const contextAt = ({ kept }: Attempt) => contextOf(settings, work, kept);
  const steps: NamedSteps = {
    init: (attempt) => init(contextAt(attempt), settings),
    begin: async (attempt) => ({ to: (await isRunning(contextAt(attempt))) ? 'stop' : 'configure' }),
    ...endingSteps(contextAt, 'configure'),
    configure: orPutBack(async (attempt) => {
      const context = contextAt(attempt);
      const told = await configure(context, drawContext(context), attempt.tries);
      return { to: 'hook', did: 'configure', ...keepOutputs(context, 'configure', told) };
    }),
    hook: orPutBack((attempt) =>
      callUpdateHook(contextAt(attempt), attempt, work.instance.stopped ? 'end' : 'start'),
    ),
    start: orPutBack((attempt) => start(contextAt(attempt), attempt)),
    ready: orPutBack((attempt) => awaitAll(contextAt(attempt))),
    unchanged: (attempt) => callUpdateHook(contextAt(attempt), attempt, 'end'),
    // What it was has the numbers that it was made with.
    restore: () => restore(contextOf(settings, work)),
    tell,
  };
  return runSequence(steps, 'init', work, (kept) => {
    const context = contextOf(settings, work, kept);
    forgetPrevious(context.directory);
    return { facts: factsOf(context) };
  });
}

/** Everything that can be refused is found out while the old still runs. */
async function init(context: ProcessContext, settings: UnitSettings): Promise<Next> {
  await context.runner.requireParts(context);
  await requireDisk(context);
  const { work } = context;
  const ports = await takePorts(settings, work, Object.keys(context.numbers));
  await settle(context);
  const shall = contextOf(settings, work, { ports });
  // After an update that was broken off nobody knows what runs.
  const isSame = !findPrevious(shall.directory) && isConfigured(shall.directory, drawContext(shall));
  if (!isSame) keepPrevious(shall.node, shall.directory);
  return { to: isSame ? 'unchanged' : 'begin', did: 'init', keep: { ports } };
}

async function callUpdateHook(context: ProcessContext, { tries }: Attempt, to: string): Promise<Next> {
  if (!hasHook(context, 'update')) return { to };
  const told = await callHook(context, 'update', tries);
  return { to, did: 'update', ...keepOutputs(context, 'update', told) };
}

async function start(context: ProcessContext, { tries }: Attempt): Promise<Next> {
  const taken = await findTakenPorts(context, Object.keys(context.numbers));
  if (taken.length > 0) throw portTaken(context, taken);
  await startUnits(context, wantedUnits(context), tries);
  return { to: 'ready', did: 'start' };
}

async function awaitAll(context: ProcessContext): Promise<Next> {
  await awaitReady(context, wantedUnits(context), readyLimit(context.work.plan.operating));
  return { to: 'end', did: 'check_up' };
}

export function portTaken({ numbers }: ProcessContext, [name = '']: readonly string[]): Failure {
  return new Failure(
    'port-taken',
    `Another program uses the network port ${numbers[name]} of the instance. Ask the operator of the broker.`,
  );
}

/** A step after which there is no way on goes the way back. */
function orPutBack(step: NamedStep): NamedStep {
  return async (attempt) => {
    try {
      return await step(attempt);
    } catch (error) {
      const failure = error instanceof TryLater && isLastTry(attempt) ? error.failure : error;
      if (!(failure instanceof Failure)) throw failure;
      const { word, message, hints } = failure;
      return { to: 'restore', keep: { failure: { word, message, detail: hints.detail ?? '' } } };
    }
  };
}

/** Starts the old one again. What it was stays remembered until it runs. */
async function restore(context: ProcessContext): Promise<Next> {
  const { node, directory, work } = context;
  const previous = findPrevious(directory);
  try {
    if (previous && findConfigured(directory)?.mark !== previous.configured.mark) {
      await endUnits(context);
      await putBack(node, directory, previous);
    }
    if (!findConfigured(directory)) throw new Failure('nothing-left', 'There is nothing to put back.');
    if (!work.instance.stopped) {
      await startUnits(context, wantedUnits(context), 1);
      await awaitReady(context, wantedUnits(context), readyLimit(work.plan.operating));
    }
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const left = `Putting the old one back failed too: ${error.message} ${error.hints.detail ?? ''}`.trim();
    return { to: 'tell', did: 'restore', keep: { left } };
  }
  forgetPrevious(directory);
  return { to: 'tell', did: 'restore' };
}

interface Outcome {
  readonly failure: { readonly word: string; readonly message: string; readonly detail: string };
  /** Why the old one is not there again either. */
  readonly left?: string;
}

/** The first error is what is told. */
async function tell({ kept }: Attempt): Promise<never> {
  const { failure, left } = kept as unknown as Outcome;
  const detail = [failure.detail, left ?? ''].filter((text) => text !== '').join(' ');
  throw new Failure(failure.word, failure.message, {
    detail: detail || undefined,
    instanceUsable: left === undefined,
    updateRepeatable: true,
  });
}
