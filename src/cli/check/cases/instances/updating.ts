import { isObject, type Json } from '../../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../../case.ts';
import { onlyWhen, requireAccepted, requireStatus, requireThat } from '../../probe/findings.ts';
import { awaitEnd, endOf, freshInstance } from '../../probe/lifecycle.ts';
import type { Probe } from '../../probe/probe.ts';
import { updateRequest } from '../../probe/requests.ts';
import type { WireAnswer } from '../../probe/wire.ts';

const response = 'Updating: Response';
const body = 'Updating: Body';
type Changes = Readonly<Record<string, Json | undefined>>;

/** Changes of what is there. */
export const updatingCases: CaseGroup = {
  name: 'updating',
  cases: [
    defineCase('UPD-01', 'MUST', response, 'An update is 200, or 202 and then succeeded.', async (probe) => {
      const { path } = await freshInstance(probe);
      const answer = await probe.send(updateRequest(probe, path, goodParameters(probe)));
      onlyWhen(answer.status !== 422, 'The broker does not support this update.');
      requireStatus(answer, [200, 202], 'An update of parameters');
      if (answer.status === 200)
        requireThat(isObject(answer.json), 'The answer to an update is no JSON object.', answer);
      else await requireSucceeded(probe, path, answer);
    }),
    defineCase(
      'UPD-05',
      'MUST',
      'Updating',
      'A change of plan is applied, or refused with 422.',
      async (probe) => {
        onlyWhen(
          probe.market.updateable && probe.market.otherPlanId !== undefined,
          'The plan cannot be changed to another.',
        );
        const { path } = await freshInstance(probe);
        const answer = await probe.send(updateRequest(probe, path, { plan_id: probe.market.otherPlanId }));
        requireStatus(answer, [200, 202, 422], 'A change of plan');
        onlyWhen(answer.status !== 422, 'The broker does not support this change of plan.');
        await requireSucceeded(probe, path, answer);
        requireTold(
          await fetchedInstance(probe, path),
          probe.market.otherPlanId,
          'A change of plan was accepted, and',
        );
      },
    ),
    defineCase('UPD-06', 'MUST', body, 'Without plan or parameters these do not change.', async (probe) => {
      const { path } = await freshInstance(probe);
      const before = await fetchedInstance(probe, path);
      const answer = await probe.send(updateRequest(probe, path, goodParameters(probe)));
      onlyWhen(answer.status < 300, 'The broker does not support this update.');
      await endOf(probe, path, answer, 'an update');
      requireTold(
        await fetchedInstance(probe, path),
        before.body['plan_id'],
        'After an update without a plan',
      );
    }),
    defineCase(
      'UPD-08',
      'MUST',
      'Updating',
      'Naming the plan that the instance has is no change.',
      async (probe) => {
        const path = await updatedInstance(probe);
        const request = updateRequest(probe, path, {
          ...goodParameters(probe),
          plan_id: probe.market.planId,
        });
        requireAccepted(await probe.send(request), 'An update that names the plan that the instance has');
      },
    ),
    defineCase('UPD-09', 'MUST', body, 'A change of the context alone is accepted.', async (probe) => {
      onlyWhen(
        probe.market.service['allow_context_updates'] === true,
        'The service takes no updates of context.',
      );
      const { path } = await freshInstance(probe);
      const context = {
        platform: 'cloudfoundry',
        organization_guid: 'o',
        space_guid: 's',
        instance_name: 'renamed',
      };
      requireAccepted(
        await probe.send(updateRequest(probe, path, { context })),
        'An update of the context alone',
      );
    }),
    defineCase(
      'UPD-11',
      'MUST',
      response,
      'Without accepts_incomplete the answer is never 202.',
      async (probe) => {
        const { path } = await freshInstance(probe);
        const answer = await probe.send(updateRequest(probe, path, goodParameters(probe), {}));
        requireStatus(answer, [200, 422], 'An update that accepts nothing incomplete');
      },
    ),
    defineCase('UPD-19', 'MUST', 'Vendor Extension Fields', 'Unknown members are ignored.', async (probe) => {
      const path = await updatedInstance(probe);
      const request = updateRequest(probe, path, {
        ...goodParameters(probe),
        'x-conformance': { deep: [1] },
      });
      requireAccepted(await probe.send(request), 'An update with an unknown member');
    }),
  ],
};

export function goodParameters(probe: Probe): Changes {
  return { parameters: probe.otherParameters ?? probe.parameters ?? {} };
}

/** The path of a new instance that has been updated once. Not applicable where parameters cannot be. */
export async function updatedInstance(probe: Probe): Promise<string> {
  const { path } = await freshInstance(probe);
  const plain = await probe.send(updateRequest(probe, path, goodParameters(probe)));
  onlyWhen(plain.status < 300, 'The broker does not support updates of parameters.');
  await endOf(probe, path, plain, 'an update');
  return path;
}

async function requireSucceeded(probe: Probe, path: string, answer: WireAnswer): Promise<void> {
  if (answer.status !== 202) return;
  const end = await awaitEnd(probe, path, answer);
  requireThat(
    end.is === 'succeeded',
    `The update was accepted, and its operation ended as ${end.is}.`,
    end.answer,
  );
}

/** @throws Inapplicable */
export async function fetchedInstance(probe: Probe, path: string): Promise<WireAnswer> {
  onlyWhen(probe.market.instancesRetrievable, 'Instances cannot be fetched.');
  const answer = await probe.send({ method: 'GET', path });
  onlyWhen(answer.status === 200, 'The instance cannot be fetched.');
  return answer;
}

export function requireTold(answer: WireAnswer, planId: Json | undefined, when: string): void {
  const told = answer.body['plan_id'];
  requireThat(
    told === undefined || told === planId,
    `${when} the instance is told with another plan.`,
    answer,
  );
}
