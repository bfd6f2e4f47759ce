import { isObject, sameJson, type Json } from '../../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../../case.ts';
import {
  onlyWhen,
  requireNoBreak,
  requireRefused,
  requireStatus,
  requireThat,
} from '../../probe/findings.ts';
import { begun, endOf, freshInstance, removeThing } from '../../probe/lifecycle.ts';
import { poll } from '../../probe/in-progress.ts';
import { requireInstanceMembers, requireOperation } from '../../probe/members.ts';
import { updateRequest } from '../../probe/requests.ts';
import { fetchedInstance, goodParameters, updatedInstance } from './updating.ts';

const response = 'Updating: Response';
const body = 'Updating: Body';

/** What stands in updates and in the answers to them. */
export const updateMemberCases: CaseGroup = {
  name: 'updating',
  cases: [
    defineCase('UPD-10', 'HARD', 'Previous Values', 'Odd previous values break nothing.', async (probe) => {
      const { path } = await freshInstance(probe);
      const odd: readonly Json[] = [{}, { plan_id: probe.newId(), service_id: 17, space_id: null }, 'text'];
      for (const previous_values of odd) {
        const request = updateRequest(probe, path, { ...goodParameters(probe), previous_values });
        requireNoBreak(await probe.send(request), 'An update with odd previous_values');
      }
    }),
    defineCase(
      'UPD-20',
      'MUST',
      'Polling Last Operation: Parameters',
      'A change of plan can be polled with the old plan.',
      async (probe) => {
        const { updateable, otherPlanId } = probe.market;
        onlyWhen(updateable && otherPlanId !== undefined, 'The plan cannot be changed to another.');
        const thing = await begun(probe, 'plans are changed at once', async () => {
          const { path } = await freshInstance(probe);
          return { path, answer: await probe.send(updateRequest(probe, path, { plan_id: otherPlanId })) };
        });
        requireStatus(await poll(probe, thing), [200], 'Polling a change of plan with the old plan');
      },
    ),
    defineCase('UPD-21', 'SHOULD', response, 'An update that changes nothing is accepted.', async (probe) => {
      const path = await updatedInstance(probe);
      requireStatus(
        await probe.send(updateRequest(probe, path, goodParameters(probe))),
        [200, 202],
        'An update that changes nothing',
      );
    }),
    defineCase(
      'UPD-22',
      'MUST',
      'Updating: Route',
      'An instance that was deleted is refused.',
      async (probe) => {
        const { path } = await freshInstance(probe);
        await removeThing(probe, path);
        requireRefused(
          await probe.send(updateRequest(probe, path, goodParameters(probe))),
          'An update of an instance that was deleted',
        );
      },
    ),
    defineCase('UPD-25', 'HARD', 'Updating', 'Plan and parameters change together.', async (probe) => {
      const { updateable, otherPlanId } = probe.market;
      onlyWhen(updateable && otherPlanId !== undefined, 'The plan cannot be changed to another.');
      const parameters = probe.otherParameters;
      onlyWhen(parameters !== undefined, 'It needs --other-parameters.');
      const { path } = await freshInstance(probe);
      const answer = await probe.send(updateRequest(probe, path, { plan_id: otherPlanId, parameters }));
      const { is } = await endOf(probe, path, answer, 'a change of plan and parameters');
      onlyWhen(is === 'succeeded', 'The update has not succeeded.');
      const told = await fetchedInstance(probe, path);
      const { plan_id: plan, parameters: now } = told.body;
      // A plan that is not the new one at all is told by UPD-05.
      onlyWhen(plan === otherPlanId && isObject(now), 'Plan and parameters are not told.');
      const { parameters: old = {} } = probe;
      const isOld = Object.entries(old).some(
        ([name, value]) => sameJson(now[name], value) && !sameJson(value, parameters[name] ?? value),
      );
      requireThat(!isOld, 'An update of plan and parameters has changed the plan alone.', told);
    }),
    defineCase(
      'UPD-26',
      'MUST',
      body,
      'The members of a successful answer have their types.',
      async (probe) => {
        const { path } = await freshInstance(probe);
        const answer = await probe.send(updateRequest(probe, path, goodParameters(probe)));
        onlyWhen(answer.status < 300, 'The broker does not support this update.');
        requireOperation(answer);
        requireInstanceMembers(answer);
      },
    ),
  ],
};
