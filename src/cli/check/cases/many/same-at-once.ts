import { isObject, sameJson } from '../../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../../case.ts';
import {
  awaitAny,
  repeated,
  requireEach,
  requireGoes,
  requireOneOperation,
  sendAtOnce,
} from '../../probe/at-once.ts';
import { onlyWhen, requireThat } from '../../probe/findings.ts';
import { freshBinding, freshInstance, keptInstance } from '../../probe/lifecycle.ts';
import { deleteRequest, instancePath, provisionRequest, bindRequest } from '../../probe/requests.ts';
import { freshPath } from '../bindings/binding.ts';

const blocking = 'Blocking Operations';

/** One request many times at once. */
export const sameAtOnceCases: CaseGroup = {
  name: 'requests at once',
  cases: [
    defineCase(
      'CON-01',
      'MUST',
      `${blocking}; Provisioning`,
      'The same provision many times at once makes one instance.',
      async (probe) => {
        await keptInstance(probe);
        const path = instancePath(probe.newId());
        const answers = await sendAtOnce(probe, repeated(probe, provisionRequest(probe, path)));
        const subject = `The same provision ${probe.atOnce} times at once`;
        requireEach(answers, [200, 201, 202, 409, 422], subject);
        requireThat(
          answers.some(({ status }) => status < 300),
          `${subject} was not accepted once.`,
          answers[0],
        );
        requireOneOperation(answers, subject);
        await awaitAny(probe, path, answers);
        await requireGoes(probe, path, `A deletion of what was made by many requests at once`);
      },
    ),
    defineCase(
      'CON-03',
      'MUST',
      `${blocking}; Binding`,
      'The same bind many times at once makes one binding.',
      async (probe) => {
        const path = await freshPath(probe);
        const answers = await sendAtOnce(probe, repeated(probe, bindRequest(probe, path)));
        const subject = `The same bind ${probe.atOnce} times at once`;
        requireEach(answers, [200, 201, 202, 409, 422], subject);
        requireOneOperation(answers, subject);
        const told = answers.filter(({ body }) => isObject(body['credentials']));
        const other = told.find(({ body }) => !sameJson(body['credentials'], told[0]?.body['credentials']));
        requireThat(other === undefined, `${subject} has told two sets of credentials.`, other);
        await awaitAny(probe, path, answers);
        await requireGoes(probe, path, 'An unbind of what was made by many requests at once');
      },
    ),
    defineCase(
      'CON-05',
      'MUST',
      `${blocking}; Deprovisioning`,
      'Deletes at once leave nothing, and nobody is told anything odd.',
      async (probe) => {
        const { path } = await freshInstance(probe);
        const answers = await sendAtOnce(probe, repeated(probe, deleteRequest(probe, path)));
        requireEach(answers, [200, 202, 410, 422], `The same deletion ${probe.atOnce} times at once`);
        await awaitAny(probe, path, answers);
        await requireGoes(probe, path, 'A deletion after many at once');
      },
    ),
    defineCase(
      'CON-06',
      'MUST',
      `${blocking}; Unbinding`,
      'Unbinds at once leave nothing, and nobody is told anything odd.',
      async (probe) => {
        const { path } = await freshBinding(probe);
        const answers = await sendAtOnce(probe, repeated(probe, deleteRequest(probe, path)));
        requireEach(answers, [200, 202, 410, 422], `The same unbind ${probe.atOnce} times at once`);
        await awaitAny(probe, path, answers);
        await requireGoes(probe, path, 'An unbind after many at once');
      },
    ),
    defineCase(
      'CON-10',
      'HARD',
      'robustness',
      'Several different instances at once are all made.',
      async (probe) => {
        await keptInstance(probe);
        const paths = Array.from({ length: probe.atOnce }, () => instancePath(probe.newId()));
        const answers = await sendAtOnce(
          probe,
          paths.map((path) => provisionRequest(probe, path)),
        );
        const refused = answers.find(({ status }) => status >= 400);
        onlyWhen(refused === undefined || refused.status !== 429, 'The broker limits the rate of requests.');
        requireThat(
          refused === undefined,
          `One of ${probe.atOnce} provisions at once was answered ${refused?.status}.`,
          refused,
        );
        for (const [place, path] of paths.entries())
          await awaitAny(probe, path, answers.slice(place, place + 1));
      },
    ),
  ],
};
