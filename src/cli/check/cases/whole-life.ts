import { sameJson } from '../../../broker/json.ts';
import { leftName, type LeftThing } from '../probe/clean-up.ts';
import { defineCase, type CaseGroup } from '../case.ts';
import { onlyWhen, requireAccepted, requireStatus, requireThat } from '../probe/findings.ts';
import { endOf, freshBinding, freshInstance, removeThing } from '../probe/lifecycle.ts';
import type { Probe } from '../probe/probe.ts';
import { deleteRequest, incomplete, provisionRequest, updateRequest } from '../probe/requests.ts';
import { fetched } from './fetching.ts';
import { fetchedInstance, goodParameters } from './instances/updating.ts';

/** One thing after the other. */
export const wholeLifeCases: CaseGroup = {
  name: 'whole life',
  cases: [
    defineCase(
      'LIF-01',
      'MUST',
      'all',
      'An instance can be fetched, bound, unbound, updated and bound again, as its plan says.',
      async (probe) => {
        const instance = await freshInstance(probe);
        // Whether it can be updated at all is a question of its own.
        const isUpdated = await updates(probe, instance.path);
        if (probe.market.bindable) await bindsAndUnbinds(probe, instance.path);
        const subject = 'An instance that was bound and unbound';
        if (probe.market.instancesRetrievable)
          requireStatus(await fetched(probe, instance.path), [200], `${subject}, fetched,`);
        if (isUpdated) {
          const back = { parameters: probe.parameters ?? {} };
          const answer = await probe.send(updateRequest(probe, instance.path, back));
          requireAccepted(answer, `${subject}, updated,`);
          await endOf(probe, instance.path, answer, 'an update');
        }
        if (probe.market.bindable) await bindsAndUnbinds(probe, instance.path);
        const answer = await probe.send(deleteRequest(probe, instance.path));
        requireStatus(answer, [200, 202], `${subject}, deleted,`);
      },
    ),
    defineCase('ERR-07', 'MUST', 'Error Codes', 'A 4xx changes nothing.', async (probe) => {
      const { path } = await freshInstance(probe);
      const before = await fetchedInstance(probe, path);
      const again = await fetchedInstance(probe, path);
      onlyWhen(sameJson(again.body, before.body), 'An instance is told otherwise each time.');
      const refused = [
        provisionRequest(probe, path, { space_guid: 'elsewhere', context: undefined }),
        updateRequest(probe, path, { ...goodParameters(probe), plan_id: probe.newId() }),
        updateRequest(probe, path, { ...goodParameters(probe), service_id: probe.newId() }),
        deleteRequest(probe, path, { ...incomplete, service_id: undefined }),
      ];
      for (const request of refused) {
        const answer = await probe.send(request);
        onlyWhen(answer.status >= 400, 'The broker does not refuse it.');
        const after = await fetched(probe, path);
        onlyWhen(after.status === 200, 'The instance is gone.');
        requireThat(
          sameJson(after.body, before.body),
          `${request.method} was answered ${answer.status}, and the instance is another one.`,
          after,
        );
      }
    }),
    defineCase('ORP-03', 'MUST', 'Orphan Mitigation', 'Whatever was made can be deleted.', async (probe) => {
      const left = (probe.known.get(leftName) ?? []) as readonly LeftThing[];
      for (const { path } of left)
        requireStatus(await probe.send(deleteRequest(probe, path)), [200, 202, 410], `A deletion of ${path}`);
    }),
  ],
};

async function updates(probe: Probe, path: string): Promise<boolean> {
  const answer = await probe.send(updateRequest(probe, path, goodParameters(probe)));
  if (answer.status >= 300) return false;
  await endOf(probe, path, answer, 'an update');
  return true;
}

async function bindsAndUnbinds(probe: Probe, instance: string): Promise<void> {
  const { path } = await freshBinding(probe, {}, { path: instance });
  if (probe.market.bindingsRetrievable)
    requireStatus(await fetched(probe, path), [200], 'A binding that is there, fetched,');
  await removeThing(probe, path);
}
