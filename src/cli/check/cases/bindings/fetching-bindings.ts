import { isObject, sameJson } from '../../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../../case.ts';
import { onlyWhen, requireNoBreak, requireStatus, requireThat } from '../../probe/findings.ts';
import {
  awaitEnd,
  begunBinding,
  freshBinding,
  freshInstance,
  keptBinding,
  keptInstance,
  removeThing,
} from '../../probe/lifecycle.ts';
import type { Probe } from '../../probe/probe.ts';
import { bindingPath, idOf, instancePath } from '../../probe/requests.ts';
import { fetched } from '../fetching.ts';

const binding = 'Fetching a Service Binding';

/** Bindings as they are told. */
export const bindingFetchingCases: CaseGroup = {
  name: 'fetching',
  cases: [
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
        requireStatus(
          await fetched(probe, bindingPath(other.path, idOf(path))),
          [404],
          'Fetching a binding through another instance',
        );
      },
    ),
    defineCase(
      'FEB-05',
      'SHOULD',
      binding,
      'The parameters that are told are those that were sent.',
      async (probe) => {
        requireBindings(probe);
        const { parameters } = probe;
        onlyWhen(parameters !== undefined, 'It needs --parameters.');
        const told = await fetched(probe, (await freshBinding(probe, { parameters })).path);
        const { parameters: now } = told.body;
        onlyWhen(told.status === 200 && isObject(now), 'No parameters are told.');
        const isLost = Object.entries(parameters).some(([name, value]) => !sameJson(now[name], value));
        requireThat(!isLost, 'The binding is told with other parameters than were sent.', told);
      },
    ),
    defineCase(
      'FEB-06',
      'HARD',
      binding,
      'Hints make no difference to fetching a binding.',
      async (probe) => {
        requireBindings(probe);
        const { path } = await keptBinding(probe);
        const query = { service_id: probe.newId(), plan_id: '' };
        requireNoBreak(
          await probe.send({ method: 'GET', path, query }),
          'Fetching a binding with wrong hints',
        );
      },
    ),
    defineCase('FEB-07', 'MUST', binding, 'A binding whose instance was deleted is 404.', async (probe) => {
      requireBindings(probe);
      const instance = await freshInstance(probe);
      const { path } = await freshBinding(probe, {}, instance);
      await removeThing(probe, path);
      await removeThing(probe, instance.path);
      requireStatus(await fetched(probe, path), [404], 'Fetching a binding whose instance was deleted');
    }),
    defineCase(
      'FEB-08',
      'MUST',
      `Binding; ${binding}`,
      'What a bind that takes its time gives can be fetched.',
      async (probe) => {
        requireBindings(probe);
        const { path, answer } = await begunBinding(probe);
        const { is } = await awaitEnd(probe, path, answer);
        onlyWhen(is === 'succeeded', 'The operation has not succeeded.');
        const told = await fetched(probe, path);
        onlyWhen(told.status === 200, 'The binding cannot be fetched.');
        const given = ['credentials', 'syslog_drain_url', 'route_service_url', 'volume_mounts'];
        requireThat(
          given.some((name) => told.body[name] !== undefined),
          'A binding that took its time is told without anything that it gives.',
          told,
        );
      },
    ),
  ],
};

export function requireBindings({ market }: Probe): void {
  onlyWhen(market.bindingsRetrievable && market.bindable, 'Bindings cannot be fetched.');
}
