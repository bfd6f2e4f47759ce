import { defineCase, type CaseGroup } from '../../case.ts';
import { onlyWhen, requireNoBreak, requireStatus } from '../../probe/findings.ts';
import { freshInstance, keptInstance, removeThing } from '../../probe/lifecycle.ts';
import type { Probe } from '../../probe/probe.ts';
import { provisionRequest } from '../../probe/requests.ts';
import type { WireRequest } from '../../probe/wire.ts';

const response = 'Provisioning: Response';

/** Ids that have been used. */
export const provisionAgainCases: CaseGroup = {
  name: 'provisioning',
  cases: [
    defineCase(
      'PRV-08.absent-parameters',
      'MUST',
      response,
      'An existing id without its parameters is 200 or 409.',
      async (probe) => {
        onlyWhen(probe.parameters !== undefined, 'It needs --parameters.');
        const { path } = await keptInstance(probe);
        await requireSameOrOther(
          probe,
          provisionRequest(probe, path, { parameters: undefined }),
          'An existing id without its parameters',
        );
      },
    ),
    defineCase(
      'PRV-08.context',
      'HARD',
      response,
      'Another context or user is no other request.',
      async (probe) => {
        const { path } = await keptInstance(probe);
        const { status } = await probe.send(provisionRequest(probe, path));
        onlyWhen([200, 409].includes(status), 'Nor is the same request again taken so: see PRV-06.');
        const context = { platform: 'kubernetes', namespace: 'elsewhere', clusterid: 'c' };
        await requireSameOrOther(
          probe,
          provisionRequest(probe, path, { context }),
          'An existing id with another context',
        );
        const user = Buffer.from(JSON.stringify({ user_id: probe.newId() })).toString('base64');
        await requireSameOrOther(
          probe,
          {
            ...provisionRequest(probe, path),
            headers: { 'x-broker-api-originating-identity': `cloudfoundry ${user}` },
          },
          'An existing id of another user',
        );
      },
    ),
    defineCase(
      'PRV-24',
      'HARD',
      'Provisioning: Route',
      'An id is free again after its deletion, or refused.',
      async (probe) => {
        const { path, answer: first } = await freshInstance(probe);
        onlyWhen(first.status !== 200, 'New instances are told with 200.');
        await removeThing(probe, path);
        const answer = await probe.send(provisionRequest(probe, path));
        requireNoBreak(answer, 'A provision of an id that was deleted');
        if (answer.status < 400) requireStatus(answer, [201, 202], 'A provision of an id that was deleted');
      },
    ),
  ],
};

async function requireSameOrOther(probe: Probe, request: WireRequest, subject: string): Promise<void> {
  requireStatus(await probe.send(request), [200, 409], subject);
}
