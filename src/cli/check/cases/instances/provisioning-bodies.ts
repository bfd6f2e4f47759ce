import type { Json } from '../../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../../case.ts';
import {
  onlyWhen,
  requireAccepted,
  requireNoBreak,
  requireStatus,
  requireWord,
} from '../../probe/findings.ts';
import { keptInstance } from '../../probe/lifecycle.ts';
import { requireAbsent } from '../../probe/presence.ts';
import type { Probe } from '../../probe/probe.ts';
import { requireNothingMade, spoiltTexts } from '../../probe/refusal.ts';
import { instancePath, provisionRequest } from '../../probe/requests.ts';
import { wrongFor } from '../../probe/wrong-parameters.ts';

const response = 'Provisioning: Response';
const body = 'Provisioning: Body';

/** What new instances are asked for with. */
export const provisionBodyCases: CaseGroup = {
  name: 'provisioning',
  cases: [
    defineCase(
      'PRV-11',
      'MUST',
      body,
      'Without service, plan, organization or space it is 400.',
      refusesEach('without'),
    ),
    defineCase(
      'PRV-12',
      'MUST',
      body,
      'An empty service, plan, organization or space is 400.',
      refusesEach('with an empty'),
    ),
    defineCase(
      'PRV-13',
      'MUST',
      response,
      'A member of another type is 400, and so are parameters that are no object.',
      async (probe) => {
        await refusesEach('with a number as')(probe);
        await refusesEach('with null as')(probe);
        for (const parameters of ['text', [1], 1])
          await requireRefusal(
            probe,
            { parameters },
            'A provision with parameters that are no object',
            [400],
          );
      },
    ),
    defineCase('PRV-13.context', 'SHOULD', response, 'A context that is no object is 400.', async (probe) => {
      for (const context of ['text', [1]])
        await requireRefusal(probe, { context }, 'A provision with a context that is no object', [400]);
    }),
    defineCase('PRV-13.null', 'MUST', response, 'Optional members of null do no harm.', async (probe) => {
      await keptInstance(probe);
      const nulls = { context: null, maintenance_info: null };
      const answer = await probe.send(provisionRequest(probe, instancePath(probe.newId()), nulls));
      requireNoBreak(answer, 'A provision with optional members of null');
    }),
    defineCase(
      'PRV-14',
      'MUST',
      body,
      'A service or plan that is unknown, or a plan of another service, is refused.',
      refusesStrangers,
    ),
    defineCase('PRV-15', 'SHOULD', response, 'An unknown service or plan is 400.', async (probe) => {
      const answer = await probe.send(
        provisionRequest(probe, instancePath(probe.newId()), { plan_id: probe.newId() }),
      );
      onlyWhen(answer.status >= 400 && answer.status < 500, 'The broker does not refuse an unknown plan.');
      requireStatus(answer, [400], 'A provision of an unknown plan');
    }),
    defineCase('PRV-16', 'MUST', 'Vendor Extension Fields', 'Unknown members are ignored.', async (probe) => {
      await keptInstance(probe);
      const request = provisionRequest(probe, instancePath(probe.newId()), {
        'x-conformance': { deep: [1] },
      });
      requireAccepted(await probe.send(request), 'A provision with an unknown member');
    }),
    defineCase('PRV-17', 'MUST', 'Context Object (profile)', 'Any context is accepted.', async (probe) => {
      await keptInstance(probe);
      const kubernetes = {
        platform: 'kubernetes',
        namespace: 'conformance',
        clusterid: 'c',
        instance_name: 'i',
      };
      for (const context of [kubernetes, { platform: 'elsewhere', any: { thing: true } }, undefined]) {
        const answer = await probe.send(provisionRequest(probe, instancePath(probe.newId()), { context }));
        requireAccepted(
          answer,
          `A provision with ${context ? `a context of ${context.platform}` : 'no context'}`,
        );
      }
    }),
    defineCase(
      'PRV-18',
      'SHOULD',
      body,
      'Parameters that the schema does not allow are 400.',
      async (probe) => {
        const parameters = wrongFor(probe, 'service_instance', 'create');
        requireStatus(
          await probe.send(provisionRequest(probe, instancePath(probe.newId()), { parameters })),
          [400],
          'A provision with parameters that its schema does not allow',
        );
      },
    ),
    defineCase(
      'PRV-19',
      'MUST',
      'Error Codes',
      'Parameters that are refused leave nothing behind.',
      async (probe) => {
        const path = instancePath(probe.newId());
        const answer = await probe.send(
          provisionRequest(probe, path, { parameters: wrongFor(probe, 'service_instance', 'create') }),
        );
        requireNoBreak(answer, 'A provision with parameters that its schema does not allow');
        onlyWhen(answer.status >= 400, 'The broker does not refuse what its schema does not allow.');
        await requireAbsent(
          probe,
          path,
          'A provision with parameters that its schema does not allow',
          answer,
        );
      },
    ),
    defineCase(
      'PRV-20.match',
      'MUST',
      body,
      'Of the maintenance info only the version counts.',
      async (probe) => {
        const version = requireMaintained(probe);
        await keptInstance(probe);
        const maintenance_info = { version, description: 'in other words' };
        const answer = await probe.send(
          provisionRequest(probe, instancePath(probe.newId()), { maintenance_info }),
        );
        requireAccepted(answer, 'A provision with the maintenance version of the catalog');
      },
      15,
    ),
    defineCase(
      'PRV-20.conflict',
      'MUST',
      response,
      'Another maintenance version is a MaintenanceInfoConflict.',
      async (probe) => {
        requireMaintained(probe);
        const path = instancePath(probe.newId());
        const maintenance_info = { version: '99999.0.0-conformance' };
        const answer = await probe.send(provisionRequest(probe, path, { maintenance_info }));
        requireStatus(answer, [422], 'A provision with another maintenance version');
        requireWord(answer, 'MaintenanceInfoConflict', 'A provision with another maintenance version');
        await requireAbsent(probe, path, 'A provision with another maintenance version', answer);
      },
      15,
    ),
    defineCase(
      'PRV-20.none',
      'HARD',
      body,
      'Maintenance info that the plan does not know is refused in defined words.',
      async (probe) => {
        onlyWhen(probe.market.maintenanceVersion === undefined, 'The plan has a maintenance version.');
        await keptInstance(probe);
        const request = provisionRequest(probe, instancePath(probe.newId()), {
          maintenance_info: { version: '1.0.0' },
        });
        requireStatus(
          await probe.send(request),
          [200, 201, 202, 400, 422],
          'A provision with maintenance info that the plan does not have',
        );
      },
      15,
    ),
  ],
};

const required = ['service_id', 'plan_id', 'organization_guid', 'space_guid'] as const;

/** Each mandatory member in turn has this value. */
function refusesEach(how: keyof typeof spoiltTexts) {
  return async (probe: Probe): Promise<void> => {
    for (const name of required)
      await requireRefusal(
        probe,
        { [name]: spoiltTexts[how], context: undefined },
        `A provision ${how} ${name}`,
        [400],
      );
  };
}

async function requireRefusal(
  probe: Probe,
  changes: Readonly<Record<string, Json | undefined>>,
  subject: string,
  allowed: readonly number[] | undefined,
): Promise<void> {
  await requireNothingMade(
    probe,
    provisionRequest(probe, instancePath(probe.newId()), changes),
    subject,
    allowed,
  );
}

async function refusesStrangers(probe: Probe): Promise<void> {
  const { serviceId, planId, other } = probe.market;
  await requireRefusal(probe, { service_id: probe.newId() }, 'A provision of an unknown service', undefined);
  await requireRefusal(probe, { plan_id: probe.newId() }, 'A provision of an unknown plan', undefined);
  await requireRefusal(
    probe,
    { service_id: planId, plan_id: serviceId },
    'A provision with service and plan in each other’s place',
    undefined,
  );
  if (other)
    await requireRefusal(
      probe,
      { plan_id: other.planId },
      'A provision of a plan of another service',
      undefined,
    );
}

/** @throws Inapplicable */
function requireMaintained({ market }: Probe): string {
  onlyWhen(market.maintenanceVersion !== undefined, 'The plan has no maintenance version.');
  return market.maintenanceVersion;
}
