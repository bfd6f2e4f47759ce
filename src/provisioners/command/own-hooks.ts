import { backoff } from '../../broker/timing.ts';
import { Failure } from '../../broker/errors.ts';
import { askHook, keepOutputs } from '../../node/hook-steps.ts';
import type { InstanceContext } from '../../node/instance-context.ts';
import { limitOf, type TimedStep } from '../../node/step-limits.ts';
import { type Attempt, type NamedSteps, type Next, TryLater } from '../../node/step-sequence.ts';

export type Kept = Pick<Next, 'keep' | 'did'>;

/** One step of an operation that goes through all of them in their order: a row of its timeline. */
export interface CommandStep extends Pick<Next, 'isPoll'> {
  readonly name: string;
  readonly run: (context: InstanceContext, attempt: Attempt) => Promise<Kept>;
}

/** @param contextAt the instance, with what earlier steps have put out */
export function inOrder(
  steps: readonly CommandStep[],
  contextAt: (attempt: Attempt) => InstanceContext,
): NamedSteps {
  return Object.fromEntries(
    steps.map(({ name, isPoll, run }, index) => {
      const to = steps[index + 1]?.name ?? 'end';
      return [
        name,
        async (attempt) => ({ to, did: name, isPoll, ...(await run(contextAt(attempt), attempt)) }),
      ];
    }),
  );
}

/** @throws TryLater when it asks for it; Failure when it failed */
export async function callOwnHook(
  context: InstanceContext,
  name: TimedStep,
  { tries }: Attempt,
): Promise<Kept> {
  const limit = limitOf(context.work.plan.operating, name);
  const result = await askHook(context, name, tries, { limit });
  if ('again' in result) throw notReady(name, tries);
  return 'outputs' in result ? keepOutputs(context, name, result.outputs) : {};
}

/** Its limit is for coming up, not for one question. The pauses grow from 50 to 500 ms. */
export async function awaitUp(context: InstanceContext, { kept, tries }: Attempt): Promise<Kept> {
  const began = performance.now();
  const result = await askHook(context, 'check_up', tries, {});
  if ('outputs' in result) return keepOutputs(context, 'check_up', result.outputs);
  if ('again' in result) throw notReady('check_up', tries);
  // Added up, for the next look may be another broker's, whose clock is its own.
  const waited = typeof kept['waited'] === 'number' ? kept['waited'] : 0;
  const limit = limitOf(context.work.plan.operating, 'check_up');
  const reason = result.down ? `: ${result.down}` : '.';
  const failure = new Failure('not-up', `It did not come up within ${limit / 1000} s${reason}`);
  if (waited >= limit) throw failure;
  const afterMs = backoff(tries, { first: 50, longest: 500 });
  throw new TryLater(failure, {
    afterMs,
    keep: { waited: waited + afterMs + performance.now() - began },
    note: 'It is looked whether it is up.',
  });
}

function notReady(name: string, tries: number): TryLater {
  const sentence = `The step ${name} was tried ${tries} times and was not ready to be done.`;
  return new TryLater(new Failure('hook', sentence), { note: `The step ${name} is tried again.` });
}
