import type { Json } from '../../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../../case.ts';
import { awaitAny, requireEach, requireGoes, sendAtOnce } from '../../probe/at-once.ts';
import {
  onlyWhen,
  requireAccepted,
  requireConcurrencyWord,
  requireNoBreak,
  requireThat,
  Shortcoming,
} from '../../probe/findings.ts';
import { endOf, freshBinding, freshInstance, keptInstance } from '../../probe/lifecycle.ts';
import type { Probe } from '../../probe/probe.ts';
import {
  bindingPath,
  bindRequest,
  deleteRequest,
  instancePath,
  provisionRequest,
  rotateRequest,
  updateRequest,
} from '../../probe/requests.ts';
import { freshPath } from '../bindings/binding.ts';
import { goodParameters, updatedInstance } from '../instances/updating.ts';

const blocking = 'Blocking Operations';
type Changes = Readonly<Record<string, Json | undefined>>;

/** Different requests at once. */
export const differentAtOnceCases: CaseGroup = {
  name: 'requests at once',
  cases: [
    defineCase('CON-02', 'MUST', blocking, 'Of two kinds of parameters at once one wins.', async (probe) => {
      const { otherParameters } = probe;
      onlyWhen(otherParameters !== undefined, 'It needs --other-parameters.');
      await requireOneWins(probe, { parameters: otherParameters }, 'Provisions with two kinds of parameters');
    }),
    defineCase('CON-04', 'MUST', blocking, 'Of two plans at once one wins.', async (probe) => {
      const { otherPlanId } = probe.market;
      onlyWhen(otherPlanId !== undefined, 'There is no other plan.');
      await requireOneWins(probe, { plan_id: otherPlanId }, 'Provisions of two plans');
    }),
    defineCase(
      'CON-07',
      'MUST',
      blocking,
      'Binds against a deletion leave what can be cleaned up.',
      async (probe) => {
        onlyWhen(probe.market.bindable, 'The plan cannot be bound.');
        const { path } = await freshInstance(probe);
        const binds = half(probe, () => bindRequest(probe, bindingPath(path, probe.newId())));
        const answers = await sendAtOnce(probe, [...binds, deleteRequest(probe, path)]);
        for (const answer of answers) {
          requireNoBreak(answer, 'Binds and a deletion of their instance at once');
          requireConcurrencyWord(answer, 'Binds and a deletion of their instance at once');
        }
        for (const [place, one] of binds.entries())
          await awaitAny(probe, one.path, answers.slice(place, place + 1));
        for (const one of binds) await requireGoes(probe, one.path, 'An unbind after that');
        await requireGoes(probe, path, 'A deletion after that');
      },
    ),
    defineCase('CON-08', 'MUST', blocking, 'Updates at once leave an instance that works.', async (probe) => {
      const path = await updatedInstance(probe);
      const contexts = half(probe, (place) => ({ platform: 'cloudfoundry', instance_name: `name-${place}` }));
      const answers = await sendAtOnce(
        probe,
        contexts.map((context) => updateRequest(probe, path, { ...goodParameters(probe), context })),
      );
      requireEach(answers, [200, 202, 422], 'Updates at once');
      await awaitAny(probe, path, answers);
      const context = { platform: 'cloudfoundry', instance_name: 'after' };
      const after = await probe.send(updateRequest(probe, path, { ...goodParameters(probe), context }));
      requireAccepted(after, 'An update after several at once');
    }),
    defineCase(
      'CON-09',
      'MUST',
      blocking,
      'Provisions against deletions of one id end with nothing.',
      async (probe) => {
        await keptInstance(probe);
        const path = instancePath(probe.newId());
        const pairs = half(probe, () => [provisionRequest(probe, path), deleteRequest(probe, path)]);
        const answers = await sendAtOnce(probe, pairs.flat());
        for (const answer of answers) {
          requireNoBreak(answer, 'Provisions and deletions of one id at once');
          requireConcurrencyWord(answer, 'Provisions and deletions of one id at once');
        }
        await requireGoes(probe, path, 'A deletion after that');
      },
    ),
    defineCase(
      'CON-11',
      'MUST',
      'Binding Rotation',
      'Rotations at once break nothing.',
      async (probe) => {
        onlyWhen(probe.market.rotatable, 'The plan cannot be rotated.');
        const { path: old } = await freshBinding(probe);
        const paths = await Promise.all(half(probe, () => freshPath(probe)));
        const answers = await sendAtOnce(
          probe,
          paths.map((path) => rotateRequest(probe, path, old)),
        );
        for (const answer of answers) requireNoBreak(answer, 'Rotations of one binding at once');
        requireThat(
          answers.some(({ status }) => status < 300),
          'None of several rotations at once was accepted.',
          answers[0],
        );
        for (const [place, path] of paths.entries())
          await awaitAny(probe, path, answers.slice(place, place + 1));
      },
      17,
    ),
  ],
};

/** As many as are one side of two. */
function half<Item>({ atOnce }: Probe, make: (place: number) => Item): readonly Item[] {
  return Array.from({ length: Math.ceil(atOnce / 2) }, (_none, place) => make(place));
}

/** Half of the requests for one id are as usual, half are changed: only those of one side are accepted. */
async function requireOneWins(probe: Probe, change: Changes, subject: string): Promise<void> {
  await keptInstance(probe);
  const path = instancePath(probe.newId());
  const sides = half(probe, () => [provisionRequest(probe, path), provisionRequest(probe, path, change)]);
  const answers = await sendAtOnce(probe, sides.flat());
  requireEach(answers, [200, 201, 202, 409, 422], `${subject} at once`);
  const winners = answers.flatMap(({ status }, place) => (status < 300 ? [place % 2] : []));
  onlyWhen(winners.length > 0, 'None was accepted.');
  const answer = answers.find(({ status }) => status < 300);
  if (new Set(winners).size > 1) {
    const other = instancePath(probe.newId());
    await probe.send(provisionRequest(probe, other));
    const { status } = await probe.send(provisionRequest(probe, other, change));
    onlyWhen(status >= 400, 'Nor is one refused after the other.');
    throw new Shortcoming(`${subject} at once were both accepted.`, answer);
  }
  if (answer) await endOf(probe, path, answer, 'an instance');
}
