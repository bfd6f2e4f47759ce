import { isObject, sameJson } from '../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../case.ts';
import { onlyWhen, requireNoBreak, requireStatus, requireThat } from '../probe/findings.ts';
import { begunInstance, freshInstance, keptInstance, removeThing } from '../probe/lifecycle.ts';
import { isText } from '../probe/market.ts';
import type { Probe } from '../probe/probe.ts';
import { instancePath } from '../probe/requests.ts';
import type { WireAnswer } from '../probe/wire.ts';

const instance = 'Fetching a Service Instance';

/** What is there, as it is told. */
export const fetchingCases: CaseGroup = {
  name: 'fetching',
  cases: [
    defineCase('FET-01', 'MUST', instance, 'An instance that is there is told.', async (probe) => {
      requireInstances(probe);
      const answer = await fetched(probe, (await keptInstance(probe)).path);
      requireStatus(answer, [200], 'Fetching an instance that is there');
      const { service_id, plan_id } = answer.body;
      for (const [told, right] of [
        [service_id, probe.market.serviceId],
        [plan_id, probe.market.planId],
      ])
        requireThat(
          told === undefined || told === right,
          'The instance is told with another service or plan.',
          answer,
        );
    }),
    defineCase('FET-02', 'MUST', instance, 'An instance that never was is 404.', async (probe) => {
      requireInstances(probe);
      requireStatus(
        await fetched(probe, instancePath(probe.newId())),
        [404],
        'Fetching an instance that never was',
      );
    }),
    defineCase('FET-03', 'MUST', instance, 'An instance in the making is 404.', async (probe) => {
      requireInstances(probe);
      requireStatus(
        await fetched(probe, (await begunInstance(probe)).path),
        [404],
        'Fetching an instance in the making',
      );
    }),
    defineCase('FET-04', 'MUST', instance, 'An instance that was deleted is 404.', async (probe) => {
      requireInstances(probe);
      const { path } = await freshInstance(probe);
      await removeThing(probe, path);
      requireStatus(await fetched(probe, path), [404], 'Fetching an instance that was deleted');
    }),
    defineCase('FET-06', 'HARD', instance, 'Hints make no difference.', async (probe) => {
      requireInstances(probe);
      const { path } = await keptInstance(probe);
      const query = { service_id: probe.newId(), plan_id: '' };
      requireNoBreak(
        await probe.send({ method: 'GET', path, query }),
        'Fetching an instance with wrong hints',
      );
    }),
    defineCase(
      'FET-07',
      'SHOULD',
      instance,
      'The parameters that are told are those that were sent.',
      async (probe) => {
        requireInstances(probe);
        const answer = await fetched(probe, (await keptInstance(probe)).path);
        const { parameters } = answer.body;
        onlyWhen(
          answer.status === 200 && isObject(parameters) && probe.parameters !== undefined,
          'No parameters are told.',
        );
        // Others may have been added as they are by default.
        const isLost = Object.entries(probe.parameters).some(
          ([name, value]) => !sameJson(parameters[name], value),
        );
        requireThat(!isLost, 'The instance is told with other parameters than were sent.', answer);
      },
    ),
    defineCase('FET-11', 'MUST', instance, 'The members of the answer have their types.', async (probe) => {
      requireInstances(probe);
      const answer = await fetched(probe, (await keptInstance(probe)).path);
      onlyWhen(answer.status === 200, 'The instance cannot be fetched.');
      for (const name of ['parameters', 'maintenance_info', 'metadata'])
        requireThat(
          answer.body[name] === undefined || answer.body[name] === null || isObject(answer.body[name]),
          `The ${name} of an instance is no object.`,
          answer,
        );
    }),
    defineCase('FET-08', 'HARD', instance, 'The dashboard stays the same.', async (probe) => {
      requireInstances(probe);
      const { path, answer } = await keptInstance(probe);
      const told = await fetched(probe, path);
      const { dashboard_url: first } = answer.body;
      const { dashboard_url: later } = told.body;
      onlyWhen(isText(first) && isText(later), 'The dashboard is not told twice.');
      requireThat(later === first, 'Fetching tells another dashboard_url than the provision.', told);
    }),
    defineCase(
      'FET-09',
      'MUST',
      instance,
      'The maintenance version is that of the instance.',
      async (probe) => {
        requireInstances(probe);
        const told = await fetched(probe, (await keptInstance(probe)).path);
        const { maintenance_info: info } = told.body;
        onlyWhen(isObject(info), 'No maintenance info is told.');
        requireThat(
          info['version'] === probe.market.maintenanceVersion,
          'A new instance is told with another maintenance version than its plan.',
          told,
        );
      },
      16,
    ),
    defineCase(
      'FET-10',
      'HARD',
      instance,
      'Fetching breaks nothing where it is not promised.',
      async (probe) => {
        onlyWhen(!probe.market.instancesRetrievable, 'Instances can be fetched.');
        requireNoBreak(await fetched(probe, (await keptInstance(probe)).path), 'Fetching an instance');
      },
    ),
  ],
};

export function fetched(probe: Probe, path: string): Promise<WireAnswer> {
  return probe.send({ method: 'GET', path });
}

export function requireInstances({ market }: Probe): void {
  onlyWhen(market.instancesRetrievable, 'Instances cannot be fetched.');
}
