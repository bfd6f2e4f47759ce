import { isObject, sameJson } from '../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../case.ts';
import { onlyWhen, requireNoBreak, requireStatus, requireThat } from '../probe/findings.ts';
import {
  begunBinding,
  begunInstance,
  endOf,
  freshBinding,
  freshInstance,
  keptBinding,
  keptInstance,
} from '../probe/lifecycle.ts';
import type { Probe } from '../probe/probe.ts';
import { bindingPath, deleteRequest, instancePath } from '../probe/requests.ts';
import type { WireAnswer } from '../probe/wire.ts';

const instance = 'Fetching a Service Instance';
const binding = 'Fetching a Service Binding';

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
    defineCase('FEB-01', 'MUST', binding, 'A binding that is there is told.', async (probe) => {
      requireBindings(probe);
      requireStatus(
        await fetched(probe, (await keptBinding(probe)).path),
        [200],
        'Fetching a binding that is there',
      );
    }),
    defineCase('FEB-02', 'MUST', binding, 'An unknown instance or binding is 404.', async (probe) => {
      requireBindings(probe);
      const { path } = await keptInstance(probe);
      for (const parent of [path, instancePath(probe.newId())])
        requireStatus(
          await fetched(probe, bindingPath(parent, probe.newId())),
          [404],
          'Fetching a binding that never was',
        );
    }),
    defineCase('FEB-03', 'MUST', binding, 'A binding in the making is 404.', async (probe) => {
      requireBindings(probe);
      requireStatus(
        await fetched(probe, (await begunBinding(probe)).path),
        [404],
        'Fetching a binding in the making',
      );
    }),
    defineCase('FEB-04', 'MUST', binding, 'A binding that was removed is 404.', async (probe) => {
      requireBindings(probe);
      const { path } = await freshBinding(probe);
      await removeThing(probe, path);
      requireStatus(await fetched(probe, path), [404], 'Fetching a binding that was removed');
    }),
    defineCase(
      'URL-12',
      'MUST',
      'Routes',
      'A binding is not reached through another instance.',
      async (probe) => {
        requireBindings(probe);
        const { path } = await keptBinding(probe);
        const other = await freshInstance(probe);
        const [id = ''] = path.split('/').slice(-1);
        requireStatus(
          await fetched(probe, bindingPath(other.path, id)),
          [404],
          'Fetching a binding through another instance',
        );
      },
    ),
  ],
};

function fetched(probe: Probe, path: string): Promise<WireAnswer> {
  return probe.send({ method: 'GET', path });
}

function requireInstances({ market }: Probe): void {
  onlyWhen(market.instancesRetrievable, 'Instances cannot be fetched.');
}

function requireBindings({ market }: Probe): void {
  onlyWhen(market.bindingsRetrievable && market.bindable, 'Bindings cannot be fetched.');
}

async function removeThing(probe: Probe, path: string): Promise<void> {
  const answer = await probe.send(deleteRequest(probe, path));
  const { is } = await endOf(probe, path, answer, 'a deletion');
  onlyWhen(is !== 'failed', 'Its deletion has failed.');
}
