import { onlyWhen, requireConcurrencyWord, requireNoBreak, requireStatus, requireThat } from './findings.ts';
import { begun, freshBinding, freshInstance, type LivingThing } from './lifecycle.ts';
import { isText } from './market.ts';
import type { Probe } from './probe.ts';
import { deleteRequest, updateRequest } from './requests.ts';
import type { WireAnswer, WireRequest } from './wire.ts';

/** What cases of things in progress have in common. */

/** An update that is in progress. @throws Inapplicable */
export async function begunUpdate(probe: Probe): Promise<LivingThing> {
  return begun(probe, 'updates are made at once', async () => {
    const { path } = await freshInstance(probe);
    return { path, answer: await probe.send(sameUpdate(probe, path)) };
  });
}

/** The request that begins it. */
export function sameUpdate(probe: Probe, path: string): WireRequest {
  return updateRequest(probe, path, { parameters: probe.otherParameters ?? probe.parameters ?? {} });
}

/** A deletion that is in progress. @throws Inapplicable */
export async function begunDelete(probe: Probe): Promise<LivingThing> {
  return begun(probe, 'instances are deleted at once', async () => {
    const { path } = await freshInstance(probe);
    return { path, answer: await probe.send(deleteRequest(probe, path)) };
  });
}

/** An unbind that is in progress. @throws Inapplicable */
export async function begunUnbind(probe: Probe): Promise<LivingThing> {
  return begun(probe, 'bindings are removed at once', async () => {
    const { path } = await freshBinding(probe);
    return { path, answer: await probe.send(deleteRequest(probe, path)) };
  });
}

/** As a platform polls, with all hints. */
export function poll(probe: Probe, { path, answer }: LivingThing): Promise<WireAnswer> {
  const { operation } = answer.body;
  const { market } = probe;
  return probe.send({
    method: 'GET',
    path: `${path}/last_operation`,
    query: {
      service_id: market.serviceId,
      plan_id: market.planId,
      operation: isText(operation) ? operation : undefined,
    },
  });
}

/** It is told at all while it is in progress; whether its operation is understood is told by LOP-14. @throws Shortcoming */
export async function requirePollable(probe: Probe, thing: LivingThing, subject: string): Promise<void> {
  const answer = await poll(probe, thing);
  if (answer.status === 200) return;
  const bare = await probe.send({ method: 'GET', path: `${thing.path}/last_operation` });
  if (bare.status !== 200) requireStatus(answer, [200], subject);
}

/** Is it still so? What has ended meanwhile proves nothing. @throws Inapplicable */
export async function requireBusy(probe: Probe, thing: LivingThing): Promise<void> {
  const { body } = await poll(probe, thing);
  onlyWhen(body['state'] === 'in progress', 'It had ended before the second request could be judged.');
}

/** The answer to a repetition while the first is in progress. @throws Shortcoming */
export async function requireSameOperation(
  probe: Probe,
  thing: LivingThing,
  again: WireAnswer,
  subject: string,
): Promise<void> {
  if (again.status === 202) {
    const isSame = again.body['operation'] === thing.answer.body['operation'];
    requireThat(isSame, `${subject} was answered with another operation.`, again);
    return;
  }
  await requireBusy(probe, thing);
  requireStatus(again, [202], subject);
}

/** Deleted while it is being made: it is gone for good, or that has to wait. @throws Shortcoming */
export function requireHalted(answer: WireAnswer, subject: string): void {
  requireNoBreak(answer, subject);
  requireStatus(answer, [200, 202, 410, 422], subject);
  requireConcurrencyWord(answer, subject);
}

/** @param flags may it have those of instances? @throws Shortcoming */
export function requireState(answer: WireAnswer, flags = true): void {
  requireStatus(answer, [200], 'The last operation');
  const { state, description, instance_usable: usable, update_repeatable: repeatable } = answer.body;
  const isKnown = ['in progress', 'succeeded', 'failed'].includes(state as string);
  requireThat(isKnown, `The last operation has the state ${JSON.stringify(state)}.`, answer);
  requireThat(['undefined', 'string'].includes(typeof description), 'The description is no text.', answer);
  const given = [usable, repeatable].filter((one) => one !== undefined);
  requireThat(
    given.every((one) => typeof one === 'boolean'),
    'A flag of the last operation is no boolean.',
    answer,
  );
  requireThat(flags || given.length === 0, 'The last operation of a binding has flags of instances.', answer);
}

/** @throws Shortcoming */
export async function requireOddOperations(probe: Probe, path: string): Promise<void> {
  for (const operation of ['unknown', '', 'x'.repeat(2000), "'; --", '\u00e9 %'])
    requireNoBreak(
      await probe.send({ method: 'GET', path: `${path}/last_operation`, query: { operation } }),
      'Polling with an odd operation',
    );
}
