import { isObject, type Json } from '../../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../../case.ts';
import { repetitionCodes } from '../../probe/endpoint.ts';
import { onlyWhen, requireStatus, requireThat, requireWord } from '../../probe/findings.ts';
import { awaitEnd, keptInstance, freshInstance } from '../../probe/lifecycle.ts';
import { isText } from '../../probe/market.ts';
import { requireInstanceMembers, requireOperation } from '../../probe/members.ts';
import { requireAbsent } from '../../probe/presence.ts';
import { instancePath, provisionBody, provisionRequest } from '../../probe/requests.ts';

const response = 'Provisioning: Response';
const body = 'Provisioning: Body';
const async = 'Asynchronous Operations';

/** New instances. */
export const provisioningCases: CaseGroup = {
  name: 'provisioning',
  cases: [
    defineCase(
      'PRV-01',
      'MUST',
      response,
      'A new instance is told with 201, or with 202 and then as succeeded.',
      async (probe) => {
        const path = instancePath(probe.newId());
        const answer = await probe.send(provisionRequest(probe, path));
        requireStatus(answer, [201, 202], 'A provision');
        if (answer.status === 201) return;
        const end = await awaitEnd(probe, path, answer);
        requireThat(
          end.is !== 'failed',
          'The provision was accepted, and its operation has failed.',
          end.answer,
        );
      },
    ),
    defineCase(
      'PRV-02',
      'MUST',
      async,
      'Without accepts_incomplete the answer is never 202; who cannot do without says AsyncRequired.',
      async (probe) => {
        for (const query of [{}, { accepts_incomplete: 'false' }]) {
          const path = instancePath(probe.newId());
          const answer = await probe.send(provisionRequest(probe, path, {}, query));
          // Whether 200 is right for what is new is told by PRV-01.
          requireStatus(answer, [200, 201, 422], 'A provision that accepts nothing incomplete');
          if (answer.status < 300) continue;
          requireWord(answer, 'AsyncRequired', 'A provision that accepts nothing incomplete');
          await requireAbsent(probe, path, 'A provision that accepts nothing incomplete', answer);
        }
      },
    ),
    defineCase(
      'PRV-03',
      'MUST',
      async,
      'Another value of accepts_incomplete than true never leads to 202.',
      async (probe) => {
        for (const one of ['1', 'yes', '']) {
          const request = provisionRequest(
            probe,
            instancePath(probe.newId()),
            {},
            { accepts_incomplete: one },
          );
          const answer = await probe.send(request);
          requireThat(
            answer.status !== 202,
            `A provision with accepts_incomplete=${one} was answered 202.`,
            answer,
          );
        }
      },
    ),
    defineCase(
      'PRV-04',
      'MUST',
      body,
      'The members of a successful answer have their types.',
      async (probe) => {
        const { answer } = await keptInstance(probe);
        requireThat(isObject(answer.json), 'The answer to a provision is no JSON object.', answer);
        requireInstanceMembers(answer);
        // Of a provision alone it may be null.
        if (answer.body['operation'] !== null) requireOperation(answer);
      },
    ),
    defineCase('PRV-05', 'SHOULD', response, 'The same request for what is there is 200.', async (probe) => {
      const { path } = await keptInstance(probe);
      const again = await probe.send(provisionRequest(probe, path));
      onlyWhen(
        repetitionCodes.includes(again.status),
        'The repetition is refused in another way: see PRV-06.',
      );
      requireStatus(again, [200], 'The same provision again');
      const reversed = Object.fromEntries(Object.entries(provisionBody(probe)).toReversed());
      const answer = await probe.send({ ...provisionRequest(probe, path), body: reversed });
      requireStatus(answer, [200], 'The same provision with its members in another order');
    }),
    defineCase(
      'PRV-06',
      'MUST',
      response,
      'The same request several times makes one instance.',
      async (probe) => {
        const { path } = await keptInstance(probe);
        for (let time = 0; time < 3; time += 1)
          requireStatus(
            await probe.send(provisionRequest(probe, path)),
            repetitionCodes,
            'The same provision again',
          );
      },
    ),
    defineCase('PRV-07', 'HARD', body, 'A repetition tells the same dashboard.', async (probe) => {
      const { path, answer } = await keptInstance(probe);
      const again = await probe.send(provisionRequest(probe, path));
      onlyWhen(again.status === 200, 'The broker does not answer repetitions with 200.');
      requireThat(
        again.body['dashboard_url'] === answer.body['dashboard_url'],
        'The repetition tells another dashboard_url.',
        again,
      );
    }),
    defineCase(
      'PRV-08',
      'MUST',
      response,
      'An existing id with another plan, service, place or parameters is 409.',
      async (probe) => {
        const { path } = await keptInstance(probe);
        const { otherPlanId, other } = probe.market;
        const place = { organization_guid: 'elsewhere', context: undefined };
        const changes: Record<string, Record<string, Json | undefined> | undefined> = {
          plan: otherPlanId === undefined ? undefined : { plan_id: otherPlanId },
          service: other && { service_id: other.serviceId, plan_id: other.planId },
          organization: place,
          space: { space_guid: 'elsewhere', context: undefined },
          parameters: probe.otherParameters && { parameters: probe.otherParameters },
        };
        for (const [what, change] of Object.entries(changes))
          if (change)
            requireStatus(
              await probe.send(provisionRequest(probe, path, change)),
              [409],
              `An existing id with another ${what}`,
            );
      },
    ),
    defineCase('PRV-22', 'MUST', body, 'A dashboard is told in the first answer.', async (probe) => {
      onlyWhen(probe.market.instancesRetrievable, 'Instances cannot be fetched.');
      const { path, answer } = await keptInstance(probe);
      const { dashboard_url: later } = (await probe.send({ method: 'GET', path })).body;
      requireThat(
        !isText(later) || isText(answer.body['dashboard_url']),
        'The dashboard_url is told only by fetching.',
        answer,
      );
    }),
    defineCase('PRV-23', 'HARD', body, 'A dashboard is a whole address of its own.', async (probe) => {
      const first = await keptInstance(probe);
      const { dashboard_url: url } = first.answer.body;
      onlyWhen(isText(url), 'Instances have no dashboard.');
      requireThat(URL.canParse(url), 'The dashboard_url is no whole address.', first.answer);
      const { answer } = await freshInstance(probe);
      requireThat(answer.body['dashboard_url'] !== url, 'Two instances have one dashboard_url.', answer);
    }),
  ],
};
