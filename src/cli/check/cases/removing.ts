import { isObject } from '../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../case.ts';
import { onlyWhen, requireNoBreak, requireRefused, requireStatus, requireThat } from '../probe/findings.ts';
import { awaitEnd, freshBinding, freshInstance, type LivingThing } from '../probe/lifecycle.ts';
import { requireOperation } from '../probe/members.ts';
import { requirePresent } from '../probe/presence.ts';
import type { Probe } from '../probe/probe.ts';
import { bindingPath, deleteRequest, incomplete, instancePath } from '../probe/requests.ts';

type Fresh = (probe: Probe) => Promise<LivingThing>;
const freshOne: Fresh = (probe) => freshInstance(probe);
const freshTwo: Fresh = (probe) => freshBinding(probe);

/** What bindings come to in the end. */
export const unbindingCases: CaseGroup = {
  name: 'unbinding',
  cases: [
    defineCase(
      'UNB-01',
      'MUST',
      'Unbinding: Response',
      'An unbind is 200 with an object, or 202, and then the binding is gone.',
      goes(freshTwo, 'An unbind'),
    ),
    defineCase(
      'UNB-02',
      'MUST',
      'Unbinding: Response',
      'A binding that is not there is 410.',
      async (probe) => {
        const path = bindingPath(instancePath(probe.newId()), probe.newId());
        requireStatus(await probe.send(deleteRequest(probe, path)), [410], 'An unbind of what never was');
      },
    ),
    defineCase(
      'UNB-03',
      'MUST',
      'Unbinding: Parameters',
      'Without service or plan it is 400, and the binding stays.',
      needsBoth(freshTwo, 'An unbind'),
    ),
    defineCase(
      'UNB-04',
      'SHOULD',
      'Unbinding: Parameters',
      'Ids that are not the binding’s are refused, and it stays.',
      needsRight(freshTwo, 'An unbind'),
    ),
    defineCase('UNB-05', 'HARD', 'robustness', 'Odd ids break no unbind.', async (probe) => {
      for (const id of oddIds)
        requireNoBreak(
          await probe.send(deleteRequest(probe, bindingPath(instancePath(id), id))),
          'An unbind of an odd id',
        );
    }),
    defineCase(
      'UNB-06',
      'MUST',
      'Asynchronous Operations',
      'Without accepts_incomplete the answer is never 202.',
      atOnce(freshTwo, 'An unbind'),
    ),
    defineCase('UNB-09', 'HARD', 'RFC 9110', 'A body of an unbind is ignored.', async (probe) => {
      const { path } = await freshBinding(probe);
      const answer = await probe.send({ ...deleteRequest(probe, path), body: { force: true } });
      requireStatus(answer, [200, 202], 'An unbind with a body');
    }),
  ],
};

/** What instances come to in the end. */
export const deprovisioningCases: CaseGroup = {
  name: 'deprovisioning',
  cases: [
    defineCase(
      'DEP-01',
      'MUST',
      'Deprovisioning: Response',
      'A deprovision is 200 with an object, or 202, and then the instance is gone.',
      goes(freshOne, 'A deprovision'),
    ),
    defineCase(
      'DEP-02',
      'MUST',
      'Deprovisioning: Response',
      'An instance that is not there is 410.',
      async (probe) => {
        requireStatus(
          await probe.send(deleteRequest(probe, instancePath(probe.newId()))),
          [410],
          'A deprovision of what never was',
        );
      },
    ),
    defineCase(
      'DEP-03',
      'MUST',
      'Deprovisioning: Parameters',
      'Without service or plan it is 400, and the instance stays.',
      needsBoth(freshOne, 'A deprovision'),
    ),
    defineCase(
      'DEP-04',
      'SHOULD',
      'Deprovisioning: Parameters',
      'Ids that are not the instance’s are refused, and it stays.',
      needsRight(freshOne, 'A deprovision'),
    ),
    defineCase('DEP-05', 'HARD', 'robustness', 'Odd ids break no deprovision.', async (probe) => {
      for (const id of oddIds)
        requireNoBreak(
          await probe.send(deleteRequest(probe, instancePath(id))),
          'A deprovision of an odd id',
        );
    }),
    defineCase(
      'DEP-06',
      'MUST',
      'Asynchronous Operations',
      'Without accepts_incomplete the answer is never 202.',
      atOnce(freshOne, 'A deprovision'),
    ),
    defineCase('DEP-12', 'HARD', 'RFC 9110', 'A body of a deprovision is ignored.', async (probe) => {
      const request = deleteRequest(probe, instancePath(probe.newId()));
      requireNoBreak(await probe.send({ ...request, body: { force: true } }), 'A deprovision with a body');
    }),
    defineCase(
      'DEP-10',
      'HARD',
      'Deprovisioning',
      'Bindings that are left do not hinder a deprovision.',
      async (probe) => {
        const instance = await freshInstance(probe);
        const { path } = await freshBinding(probe, {}, instance);
        const answer = await probe.send(deleteRequest(probe, instance.path));
        requireNoBreak(answer, 'A deprovision of an instance that is bound');
        if (answer.status === 202) await awaitEnd(probe, instance.path, answer);
        requireNoBreak(
          await probe.send(deleteRequest(probe, path)),
          'An unbind after the deprovision of its instance',
        );
      },
    ),
    defineCase(
      'DEP-14',
      'MUST',
      'Deprovisioning: Body; Unbinding: Body',
      'The members of a successful answer have their types.',
      async (probe) => {
        const instance = await freshInstance(probe);
        const paths = probe.market.bindable ? [(await freshBinding(probe, {}, instance)).path] : [];
        for (const path of [...paths, instance.path]) {
          const answer = await probe.send(deleteRequest(probe, path));
          onlyWhen(answer.status < 300, 'It cannot be removed.');
          requireOperation(answer);
          if (answer.status === 202) await awaitEnd(probe, path, answer);
        }
      },
    ),
  ],
};

const oddIds = ['__proto__', 'constructor', 'x'.repeat(1000), '%C3%A9%20%2B'];

function goes(fresh: Fresh, subject: string) {
  return async (probe: Probe): Promise<void> => {
    const { path } = await fresh(probe);
    const answer = await probe.send(deleteRequest(probe, path));
    requireStatus(answer, [200, 202], subject);
    if (answer.status === 200)
      requireThat(isObject(answer.json), `${subject} was answered without a JSON object.`, answer);
    else {
      const end = await awaitEnd(probe, path, answer);
      requireThat(end.is !== 'failed', `${subject} was accepted, and its operation has failed.`, end.answer);
    }
    const again = await probe.send(deleteRequest(probe, path));
    requireThat(
      again.status >= 400,
      `${subject} has succeeded, and what it removed can be removed again.`,
      again,
    );
  };
}

function needsBoth(fresh: Fresh, subject: string) {
  return async (probe: Probe): Promise<void> => {
    for (const missing of ['service_id', 'plan_id']) {
      const { path } = await fresh(probe);
      const answer = await probe.send(deleteRequest(probe, path, { ...incomplete, [missing]: undefined }));
      requireStatus(answer, [400], `${subject} without ${missing}`);
      await requirePresent(probe, path, `${subject} without ${missing}`, answer);
    }
  };
}

function needsRight(fresh: Fresh, subject: string) {
  return async (probe: Probe): Promise<void> => {
    const { path } = await fresh(probe);
    const answer = await probe.send(deleteRequest(probe, path, { ...incomplete, service_id: probe.newId() }));
    requireRefused(answer, `${subject} with another service_id`);
    await requirePresent(probe, path, `${subject} with another service_id`, answer);
  };
}

function atOnce(fresh: Fresh, subject: string) {
  return async (probe: Probe): Promise<void> => {
    const { path } = await fresh(probe);
    const answer = await probe.send(deleteRequest(probe, path, {}));
    onlyWhen(answer.status !== 500, 'It cannot be removed at all.');
    requireStatus(answer, [200, 422], `${subject} that accepts nothing incomplete`);
  };
}
