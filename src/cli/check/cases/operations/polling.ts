import { defineCase, type CaseGroup } from '../../case.ts';
import { onlyWhen, requireNoBreak, requireStatus, requireThat } from '../../probe/findings.ts';
import {
  begunDelete,
  poll,
  requireOddOperations,
  requireState,
  requirePollable,
} from '../../probe/in-progress.ts';
import { awaitEnd, begunInstance, keptInstance, type OperationEnd } from '../../probe/lifecycle.ts';
import { isText } from '../../probe/market.ts';
import type { Probe } from '../../probe/probe.ts';
import { instancePath } from '../../probe/requests.ts';

const polling = 'Polling Last Operation';
const response = `${polling}: Response`;

/** How what takes its time is asked after. */
export const pollingCases: CaseGroup = {
  name: 'async polling',
  cases: [
    defineCase(
      'LOP-01',
      'MUST',
      `${polling}: Body`,
      'The last operation has one of three states and what belongs to it.',
      async (probe) => {
        const thing = await begunInstance(probe);
        const told = [
          await poll(probe, thing),
          (await awaitEnd(probe, thing.path, thing.answer)).answer,
          await poll(probe, thing),
        ];
        for (const answer of told) if (answer.status === 200) requireState(answer);
      },
    ),
    defineCase(
      'LOP-02',
      'MUST',
      response,
      'The last operation of an instance that never was is 404.',
      async (probe) => {
        const query = { service_id: probe.market.serviceId, plan_id: probe.market.planId };
        const path = `${instancePath(probe.newId())}/last_operation`;
        const answer = await probe.send({ method: 'GET', path, query });
        requireStatus(answer, [404], 'The last operation of an instance that never was');
      },
    ),
    defineCase(
      'LOP-03',
      'MUST',
      response,
      'The last operation of an instance in the making is 200.',
      async (probe) => {
        const thing = await begunInstance(probe);
        await requirePollable(probe, thing, 'The last operation of an instance in the making');
      },
    ),
    defineCase('LOP-04', 'SHOULD', polling, 'What an operation came to is not forgotten.', async (probe) => {
      const thing = await begunInstance(probe);
      const end = await awaitEnd(probe, thing.path, thing.answer);
      onlyWhen(end.is !== 'gone', 'The end of its operation is not told.');
      const again = await awaitEnd(probe, thing.path, thing.answer);
      requireThat(
        again.is === end.is,
        'The end of an operation is told once and then forgotten.',
        again.answer,
      );
    }),
    defineCase(
      'LOP-06',
      'MUST',
      `${polling}: Parameters`,
      'Service and plan need not be named.',
      async (probe) => {
        const thing = await begunInstance(probe);
        const { operation } = thing.answer.body;
        onlyWhen((await poll(probe, thing)).status === 200, 'It is not told with them either.');
        const query = { operation: isText(operation) ? operation : undefined };
        requireStatus(
          await probe.send({ method: 'GET', path: `${thing.path}/last_operation`, query }),
          [200],
          'Polling without service_id and plan_id',
        );
      },
    ),
    defineCase('LOP-07', 'HARD', `${polling}: Parameters`, 'Odd operations break nothing.', async (probe) => {
      const { path } = await keptInstance(probe);
      await requireOddOperations(probe, path);
    }),
    defineCase('LOP-08', 'HARD', `${polling}: Parameters`, 'Wrong hints break nothing.', async (probe) => {
      const { path } = await keptInstance(probe);
      const query = { service_id: probe.newId(), plan_id: '' };
      requireNoBreak(
        await probe.send({ method: 'GET', path: `${path}/last_operation`, query }),
        'Polling with wrong hints',
      );
    }),
    defineCase('LOP-09', 'HARD', polling, 'What was made at once has succeeded.', async (probe) => {
      const { path, answer } = await keptInstance(probe);
      onlyWhen(answer.status !== 202, 'Instances take their time.');
      const told = await probe.send({ method: 'GET', path: `${path}/last_operation` });
      const isRight = told.status === 200 ? told.body['state'] === 'succeeded' : told.status < 500;
      requireThat(isRight, `The last operation of what was made at once was answered ${told.status}.`, told);
    }),
    defineCase(
      'LOP-11',
      'MUST',
      `${polling}; Deprovisioning`,
      'After an asynchronous delete the polling ends.',
      async (probe) => {
        // How it ends is told by DEP-01.
        await deleted(probe);
      },
    ),
    defineCase('LOP-10', 'CC', polling, 'After a delete it is gone.', async (probe) => {
      const end = await deleted(probe);
      requireThat(
        end.answer.status !== 404,
        'The last operation of a deleted instance is 404; Cloud Controller goes on polling.',
        end.answer,
      );
    }),
    defineCase(
      'LOP-12',
      'MUST',
      `${polling}; RFC 9110`,
      'Retry-After is a number of seconds or a date.',
      async (probe) => {
        const answer = await poll(probe, await begunInstance(probe));
        const after = answer.headers['retry-after'];
        onlyWhen(after !== undefined, 'The broker sends no Retry-After.');
        requireThat(
          /^\d+$/.test(after) || Number.isFinite(Date.parse(after)),
          `Retry-After is '${after}'.`,
          answer,
        );
      },
    ),
    defineCase('LOP-13', 'SHOULD', polling, 'Retry-After is a number of seconds.', async (probe) => {
      const answer = await poll(probe, await begunInstance(probe));
      const after = answer.headers['retry-after'];
      onlyWhen(
        after !== undefined && Number.isFinite(Date.parse(after)),
        'The broker sends no date as Retry-After.',
      );
      requireThat(
        /^\d+$/.test(after),
        'Retry-After is a date, which Cloud Controller does not read.',
        answer,
      );
    }),
    defineCase(
      'LOP-14',
      'MUST',
      `${polling}: Parameters`,
      'The operation is understood as it was told.',
      async (probe) => {
        const thing = await begunInstance(probe);
        onlyWhen(isText(thing.answer.body['operation']), 'The broker tells no operation.');
        const answer = await poll(probe, thing);
        // Whether it is told at all while it is in progress is a question of its own.
        const bare = await probe.send({ method: 'GET', path: `${thing.path}/last_operation` });
        onlyWhen(answer.status === 200 || bare.status === 200, 'The broker cannot be polled.');
        requireStatus(answer, [200], 'Polling with the operation that the broker has told');
      },
    ),
  ],
};

/** How a deletion has ended that took its time. @throws Inapplicable */
async function deleted(probe: Probe): Promise<OperationEnd> {
  const { path, answer } = await begunDelete(probe);
  return awaitEnd(probe, path, answer);
}
