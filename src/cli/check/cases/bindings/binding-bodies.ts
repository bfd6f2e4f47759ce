import { type Json } from '../../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../../case.ts';
import {
  onlyWhen,
  requireAccepted,
  requireRefused,
  requireStatus,
  requireWord,
} from '../../probe/findings.ts';
import { keptBinding, keptInstance } from '../../probe/lifecycle.ts';
import type { Probe } from '../../probe/probe.ts';
import { requireNothingMade, spoiltTexts } from '../../probe/refusal.ts';
import { bindingPath, bindRequest, instancePath } from '../../probe/requests.ts';
import { wrongFor } from '../../probe/wrong-parameters.ts';
import { freshPath } from './binding.ts';

const response = 'Binding: Response';
const body = 'Binding: Body';

/** What new bindings are asked for with. */
export const bindBodyCases: CaseGroup = {
  name: 'binding',
  cases: [
    defineCase(
      'BND-09',
      'MUST',
      body,
      'Without service or plan, or with one of another type, it is 400.',
      async (probe) => {
        for (const name of ['service_id', 'plan_id'])
          for (const [how, value] of Object.entries(spoiltTexts))
            await requireBindRefused(probe, { [name]: value }, `A bind ${how} ${name}`);
      },
    ),
    defineCase('BND-10', 'MUST', body, 'Parameters that are no object are 400.', async (probe) => {
      for (const parameters of ['text', [1]])
        await requireBindRefused(probe, { parameters }, 'A bind with parameters that are no object');
    }),
    defineCase(
      'BND-11',
      'MUST',
      'Binding: Route',
      'An instance that is not there is refused.',
      async (probe) => {
        onlyWhen(probe.market.bindable, 'The plan cannot be bound.');
        const path = bindingPath(instancePath(probe.newId()), probe.newId());
        requireRefused(await probe.send(bindRequest(probe, path)), 'A bind of an instance that is not there');
      },
    ),
    defineCase(
      'BND-12',
      'SHOULD',
      body,
      'A service or plan that is not the instance’s is refused.',
      async (probe) => {
        for (const change of [{ service_id: probe.newId() }, { plan_id: probe.newId() }])
          requireRefused(
            await probe.send(bindRequest(probe, await freshPath(probe), change)),
            `A bind with an unknown ${Object.keys(change).join()}`,
          );
      },
    ),
    defineCase('BND-14', 'SHOULD', 'Binding', 'A plan that cannot be bound is refused.', async (probe) => {
      onlyWhen(!probe.market.bindable, 'The plan can be bound.');
      const { path } = await keptInstance(probe);
      requireRefused(
        await probe.send(bindRequest(probe, bindingPath(path, probe.newId()))),
        'A bind of a plan that cannot be bound',
      );
    }),
    defineCase(
      'BND-15',
      'MUST',
      response,
      'A bind without an app works, or is RequiresApp.',
      async (probe) => {
        const answer = await probe.send(
          bindRequest(probe, await freshPath(probe), { app_guid: undefined, bind_resource: undefined }),
        );
        if (answer.status === 422) requireWord(answer, 'RequiresApp', 'A bind without an app');
        else requireAccepted(answer, 'A bind without an app');
      },
    ),
    defineCase(
      'BND-16',
      'SHOULD',
      body,
      'Parameters that the schema does not allow are 400.',
      async (probe) => {
        const parameters = wrongFor(probe, 'service_binding', 'create');
        requireStatus(
          await probe.send(bindRequest(probe, await freshPath(probe), { parameters })),
          [400],
          'A bind with parameters that its schema does not allow',
        );
      },
    ),
    defineCase(
      'BND-17',
      'MUST',
      'Vendor Extension Fields',
      'Unknown members and any context are accepted.',
      async (probe) => {
        await keptBinding(probe);
        const contexts = [undefined, { platform: 'kubernetes', namespace: 'n', clusterid: 'c' }];
        for (const context of contexts) {
          const request = bindRequest(probe, await freshPath(probe), {
            context,
            'x-conformance': { deep: [1] },
          });
          requireAccepted(await probe.send(request), 'A bind with an unknown member or another context');
        }
      },
    ),
  ],
};

async function requireBindRefused(
  probe: Probe,
  changes: Readonly<Record<string, Json | undefined>>,
  subject: string,
): Promise<void> {
  await requireNothingMade(probe, bindRequest(probe, await freshPath(probe), changes), subject, [400]);
}
