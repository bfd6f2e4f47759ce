import { Failure } from '../broker/errors.ts';
import type { JsonObject } from '../broker/json.ts';
import type { Made, Step } from '../broker/provisioner.ts';
import { hookContext } from './hooks/context.ts';
import { namesPids } from './hooks/pids.ts';
import { type HookResult, type HookRun, runHook } from './hooks/run.ts';
import type { InstanceContext } from './instance-context.ts';
import { nodeOfInstance } from './node-of-instance.ts';
import { limitOf, type TimedStep } from './step-limits.ts';
import { runSequence, TryLater } from './step-sequence.ts';

/** Does the offering have a hook for this? */
export function hasHook({ work }: Pick<InstanceContext, 'work'>, name: string): boolean {
  return Object.hasOwn(work.plan.operating.hooks, name);
}

/**
 * Runs the offering's hook as a step. It has its own time, or that of its step when it says nothing.
 * @returns its outputs; none when there is no such hook
 * @throws TryLater when it asks to be called later; Failure when it failed
 */
export async function callHook(
  context: InstanceContext,
  name: TimedStep,
  tries: number,
  streams: Pick<HookRun, 'from' | 'to'> = {},
): Promise<JsonObject> {
  const limit = limitOf(context.work.plan.operating, name);
  const result = await askHook(context, name, tries, { limit, ...streams });
  if ('again' in result)
    throw new TryLater(new Failure('not-now', `The step ${name} asks to be tried again later.`));
  return 'outputs' in result ? result.outputs : {};
}

/** Has the hook do what was asked for. The timeline calls the step as the action is called. */
export function actByHook(context: InstanceContext): Promise<Step<Made>> {
  const { work } = context;
  const steps = {
    async action({ tries }: { readonly tries: number }) {
      const outputs = await callHook(context, 'action', tries);
      return { to: 'end', did: work.action ?? 'action', ...keepOutputs(context, 'action', outputs) };
    },
  };
  return runSequence<Made>(steps, 'action', work, ({ outputs }) =>
    outputs === undefined ? {} : { facts: { outputs } },
  );
}

/** To be remembered of a hook that put something out: under its name, beside the outputs of others. */
export function keepOutputs(
  context: InstanceContext,
  name: string,
  outputs: JsonObject,
): { readonly keep?: JsonObject } {
  return Object.keys(outputs).length === 0
    ? {}
    : { keep: { outputs: { ...context.outputs, [name]: outputs } } };
}

/**
 * Runs the offering's hook; one that it does not have is a success without effect.
 * @param tries 1, and one more for each time it was tried again
 * @throws Failure when it failed
 */
export async function askHook(
  { node, work, directory, roots, pids }: InstanceContext,
  name: TimedStep,
  tries: number,
  limits: Pick<HookRun, 'limit' | 'atMost' | 'from' | 'to'>,
): Promise<HookResult> {
  const hook = work.plan.operating.hooks[name];
  if (!hook) return { outputs: {} };
  // Numbers are of use only where their processes can be seen.
  const seesProcesses = pids !== undefined && namesPids(hook);
  const host = seesProcesses ? nodeOfInstance(node, { work, directory, seesProcesses }) : node;
  const values = seesProcesses ? { ...roots, pids: { ...pids() } } : roots;
  return runHook(host, {
    // Who takes over from a broker that died after it must not make its users again.
    hook: name === 'once_ready' ? { ...hook, once: true } : hook,
    name,
    instanceId: work.instance.id,
    directory,
    context: hookContext(work, values, name, tries),
    values,
    ...limits,
    carrier: work.carrier,
    redact: work.redact,
    signal: work.signal,
  });
}
