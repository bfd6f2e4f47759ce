import { defineCase, type CaseGroup } from '../../case.ts';
import {
  onlyWhen,
  requireConcurrencyWord,
  requireRefused,
  requireStatus,
  requireThat,
} from '../../probe/findings.ts';
import {
  begunUnbind,
  begunUpdate,
  poll,
  requireBusy,
  requireSameOperation,
} from '../../probe/in-progress.ts';
import { awaitEnd, begunBinding, begunInstance } from '../../probe/lifecycle.ts';
import { bindingPath, bindRequest, deleteRequest, updateRequest } from '../../probe/requests.ts';
import { fetched, requireInstances } from '../fetching.ts';

const blocking = 'Blocking Operations';

/** What else is asked while something is in progress. */
export const busyThingCases: CaseGroup = {
  name: 'async polling',
  cases: [
    defineCase(
      'FET-05',
      'MUST',
      'Fetching a Service Instance',
      'An instance that is being updated is told, or is a ConcurrencyError.',
      async (probe) => {
        requireInstances(probe);
        const thing = await begunUpdate(probe);
        const answer = await fetched(probe, thing.path);
        requireStatus(answer, [200, 422], 'Fetching an instance that is being updated');
        requireConcurrencyWord(answer, 'Fetching an instance that is being updated');
      },
    ),
    defineCase(
      'LOP-05',
      'MUST',
      'Fetching a Service Instance',
      'What has succeeded is there.',
      async (probe) => {
        requireInstances(probe);
        const { path, answer } = await begunInstance(probe);
        const { is } = await awaitEnd(probe, path, answer);
        onlyWhen(is === 'succeeded', 'The operation has not succeeded.');
        requireStatus(await fetched(probe, path), [200], 'Fetching an instance that was just told as made');
      },
    ),
    defineCase(
      'UPD-13',
      'MUST',
      blocking,
      'Another update meanwhile is processed, or is a ConcurrencyError.',
      async (probe) => {
        const thing = await begunUpdate(probe);
        const other = { parameters: probe.parameters ?? {}, plan_id: probe.market.planId };
        const answer = await probe.send(updateRequest(probe, thing.path, other));
        if (answer.status >= 300) await requireBusy(probe, thing);
        requireStatus(answer, [200, 202, 422], 'Another update while one is in progress');
        requireConcurrencyWord(answer, 'Another update while one is in progress');
      },
    ),
    defineCase(
      'DEP-09',
      'MUST',
      'Deprovisioning: Response',
      'An instance that is being updated is deleted, or it is a ConcurrencyError.',
      async (probe) => {
        const { path } = await begunUpdate(probe);
        const answer = await probe.send(deleteRequest(probe, path));
        requireStatus(answer, [200, 202, 422], 'A deletion of an instance that is being updated');
        requireConcurrencyWord(answer, 'A deletion of an instance that is being updated');
      },
    ),
    defineCase(
      'BND-08',
      'MUST',
      'Binding: Response',
      'Other parameters for a binding in the making are 409.',
      async (probe) => {
        const parameters = probe.otherParameters;
        onlyWhen(parameters !== undefined, 'It needs --other-parameters.');
        const thing = await begunBinding(probe);
        const answer = await probe.send(bindRequest(probe, thing.path, { parameters }));
        onlyWhen(answer.status !== 400, 'A bind does not take these parameters.');
        if (answer.status !== 409) await requireBusy(probe, thing);
        requireStatus(answer, [409], 'A bind with other parameters while it is in progress');
      },
    ),
    defineCase(
      'BND-23',
      'HARD',
      blocking,
      'A bind of an instance in the making is refused.',
      async (probe) => {
        onlyWhen(probe.market.bindable, 'The plan cannot be bound.');
        const thing = await begunInstance(probe);
        const answer = await probe.send(bindRequest(probe, bindingPath(thing.path, probe.newId())));
        if (answer.status < 300) await requireBusy(probe, thing);
        onlyWhen(answer.status < 500, 'The broker breaks.');
        requireRefused(answer, 'A bind of an instance in the making');
      },
    ),
    defineCase(
      'UNB-07',
      'MUST',
      'Unbinding: Response',
      'The same unbind while it is in progress is 202 with the same operation.',
      async (probe) => {
        const thing = await begunUnbind(probe);
        const again = await probe.send(deleteRequest(probe, thing.path));
        await requireSameOperation(probe, thing, again, 'The same unbind while it is in progress');
      },
    ),
    defineCase(
      'DEP-15',
      'SHOULD',
      'Deprovisioning',
      'A provision that a deletion has halted is not told as succeeded.',
      async (probe) => {
        const thing = await begunInstance(probe);
        const answer = await probe.send(deleteRequest(probe, thing.path));
        onlyWhen([200, 202].includes(answer.status), 'The deletion has to wait.');
        const halted = answer.status === 202 ? await awaitEnd(probe, thing.path, answer) : undefined;
        onlyWhen(halted?.is !== 'failed', 'The deletion has failed.');
        // Whoever polls the provision learns that it came to nothing; a deletion of its own may be told in its place.
        if (halted) return;
        const told = await poll(probe, thing);
        const { state } = told.body;
        const isRight = told.status !== 200 || state === 'failed';
        requireThat(
          isRight,
          `A provision that a deletion has halted is told as ${JSON.stringify(state)}.`,
          told,
        );
      },
    ),
  ],
};
