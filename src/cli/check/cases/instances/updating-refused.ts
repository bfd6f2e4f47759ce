import { type Json } from '../../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../../case.ts';
import {
  onlyWhen,
  requireNoBreak,
  requireRefused,
  requireStatus,
  requireWord,
} from '../../probe/findings.ts';
import { freshInstance, keptInstance } from '../../probe/lifecycle.ts';
import { requireAbsent } from '../../probe/presence.ts';
import type { Probe } from '../../probe/probe.ts';
import { incomplete, instancePath, updateRequest } from '../../probe/requests.ts';
import { wrongFor } from '../../probe/wrong-parameters.ts';
import { fetchedInstance, goodParameters, requireTold } from './updating.ts';

const response = 'Updating: Response';
const body = 'Updating: Body';
type Changes = Readonly<Record<string, Json | undefined>>;

/** What is no update. */
export const refusedUpdateCases: CaseGroup = {
  name: 'updating',
  cases: [
    defineCase('UPD-02', 'MUST', response, 'Without a service it is 400.', async (probe) => {
      for (const service_id of [undefined, '', null, 17])
        await requireUpdate(
          probe,
          { service_id, ...goodParameters(probe) },
          'An update without a right service_id',
        );
    }),
    defineCase(
      'UPD-03',
      'MUST',
      body,
      'A service or plan that is unknown or another one is refused.',
      async (probe) => {
        const { path } = await keptInstance(probe);
        for (const change of [{ plan_id: probe.newId() }, { service_id: probe.newId() }])
          requireRefused(
            await probe.send(updateRequest(probe, path, change)),
            `An update with an unknown ${Object.keys(change).join()}`,
          );
      },
    ),
    defineCase(
      'UPD-04',
      'MUST',
      'Updating: Route',
      'An unknown instance is refused and not made.',
      async (probe) => {
        const path = instancePath(probe.newId());
        const answer = await probe.send(updateRequest(probe, path, goodParameters(probe)));
        requireRefused(answer, 'An update of an instance that never was');
        await requireAbsent(probe, path, 'An update of an instance that never was', answer);
      },
    ),
    defineCase('UPD-07', 'MUST', response, 'A change of a plan that is fixed is 422.', async (probe) => {
      onlyWhen(
        !probe.market.updateable && probe.market.otherPlanId !== undefined,
        'The plan may be changed, or there is no other.',
      );
      const { path } = await keptInstance(probe);
      requireStatus(
        await probe.send(updateRequest(probe, path, { plan_id: probe.market.otherPlanId })),
        [422],
        'A change of a plan that is fixed',
      );
    }),
    defineCase('UPD-15', 'MUST', response, 'What is refused changes nothing.', async (probe) => {
      const { path } = await freshInstance(probe);
      const before = await fetchedInstance(probe, path);
      const parameters = wrongFor(probe, 'service_instance', 'update');
      const answer = await probe.send(
        updateRequest(probe, path, { parameters, plan_id: probe.market.otherPlanId }),
      );
      onlyWhen(answer.status >= 400 && answer.status < 500, 'The broker does not refuse this update.');
      requireTold(
        await fetchedInstance(probe, path),
        before.body['plan_id'],
        'After an update that was refused',
      );
    }),
    defineCase(
      'UPD-16',
      'MUST',
      response,
      'Another maintenance version is a MaintenanceInfoConflict.',
      async (probe) => {
        onlyWhen(probe.market.maintenanceVersion !== undefined, 'The plan has no maintenance version.');
        const { path } = await keptInstance(probe);
        const answer = await probe.send(
          updateRequest(probe, path, { maintenance_info: { version: '99999.0.0-conformance' } }),
        );
        requireStatus(answer, [422], 'An update to another maintenance version');
        requireWord(answer, 'MaintenanceInfoConflict', 'An update to another maintenance version');
      },
      15,
    ),
    defineCase(
      'UPD-17',
      'SHOULD',
      body,
      'Parameters that the schema does not allow are 400.',
      async (probe) => {
        const { path } = await freshInstance(probe);
        const parameters = wrongFor(probe, 'service_instance', 'update');
        requireStatus(
          await probe.send(updateRequest(probe, path, { parameters })),
          [400],
          'An update with parameters that its schema does not allow',
        );
      },
    ),
    defineCase('UPD-18', 'MUST', response, 'A plan or parameters of another type are 400.', async (probe) => {
      await requireUpdate(probe, { plan_id: 17 }, 'An update with a number as plan_id');
      await requireUpdate(probe, { parameters: 'text' }, 'An update with parameters that are no object');
    }),
  ],
};

async function requireUpdate(probe: Probe, changes: Changes, subject: string): Promise<void> {
  const { path } = await keptInstance(probe);
  const answer = await probe.send(updateRequest(probe, path, changes, incomplete));
  requireNoBreak(answer, subject);
  requireStatus(answer, [400], subject);
}
