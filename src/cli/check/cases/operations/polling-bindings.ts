import { defineCase, type CaseGroup } from '../../case.ts';
import { onlyWhen, requireNoBreak, requireStatus, requireThat } from '../../probe/findings.ts';
import {
  begunUnbind,
  poll,
  requireOddOperations,
  requireState,
  requirePollable,
} from '../../probe/in-progress.ts';
import { awaitEnd, begunBinding, keptBinding, keptInstance } from '../../probe/lifecycle.ts';
import { bindingPath, instancePath } from '../../probe/requests.ts';

const polling = 'Polling Last Operation for Service Bindings';
const response = `${polling}: Response`;

/** How bindings that take their time are asked after. */
export const bindingPollingCases: CaseGroup = {
  name: 'async polling',
  cases: [
    defineCase(
      'LOB-01',
      'MUST',
      `${polling}: Body`,
      'The last operation of a binding has one of three states.',
      async (probe) => {
        const thing = await begunBinding(probe);
        const told = [
          await poll(probe, thing),
          (await awaitEnd(probe, thing.path, thing.answer)).answer,
          await poll(probe, thing),
        ];
        for (const answer of told) if (answer.status === 200) requireState(answer, false);
      },
    ),
    defineCase(
      'LOB-02',
      'MUST',
      response,
      'The last operation of an unknown instance or binding is 404.',
      async (probe) => {
        const { path } = await keptInstance(probe);
        for (const instance of [path, instancePath(probe.newId())]) {
          const answer = await probe.send({
            method: 'GET',
            path: `${bindingPath(instance, probe.newId())}/last_operation`,
          });
          requireStatus(answer, [404], 'The last operation of a binding that never was');
        }
      },
    ),
    defineCase(
      'LOB-03',
      'MUST',
      response,
      'The last operation of a binding in the making is 200.',
      async (probe) => {
        const thing = await begunBinding(probe);
        await requirePollable(probe, thing, 'The last operation of a binding in the making');
      },
    ),
    defineCase(
      'LOB-06',
      'HARD',
      `${polling}: Parameters`,
      'Odd operations of a binding break nothing.',
      async (probe) => {
        const { path } = await begunBinding(probe);
        await requireOddOperations(probe, path);
      },
    ),
    defineCase('LOB-02.sync', 'HARD', polling, 'What was bound at once has succeeded.', async (probe) => {
      const { path, answer } = await keptBinding(probe);
      onlyWhen(answer.status !== 202, 'Bindings take their time.');
      const told = await probe.send({ method: 'GET', path: `${path}/last_operation` });
      requireNoBreak(told, 'The last operation of what was bound at once');
      requireThat(
        told.status !== 200 || told.body['state'] === 'succeeded',
        'The last operation of what was bound at once has another state than succeeded.',
        told,
      );
    }),
    defineCase(
      'LOB-04',
      'SHOULD',
      polling,
      'What an operation of a binding came to is not forgotten.',
      async (probe) => {
        const thing = await begunBinding(probe);
        const end = await awaitEnd(probe, thing.path, thing.answer);
        onlyWhen(end.is !== 'gone', 'The end of its operation is not told.');
        const again = await awaitEnd(probe, thing.path, thing.answer);
        requireThat(
          again.is === end.is,
          'The end of an operation of a binding is told once and then forgotten.',
          again.answer,
        );
      },
    ),
    defineCase('LOB-05', 'CC', polling, 'After an unbind it is gone.', async (probe) => {
      const { path, answer } = await begunUnbind(probe);
      const end = await awaitEnd(probe, path, answer);
      requireThat(
        end.answer.status !== 404,
        'The last operation of a binding that was removed is 404; Cloud Controller goes on polling.',
        end.answer,
      );
    }),
  ],
};
