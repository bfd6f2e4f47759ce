import { isObject, sameJson } from '../../../../broker/json.ts';
import { defineCase, type CaseGroup, type ConformanceCase } from '../../case.ts';
import {
  onlyWhen,
  requireAccepted,
  requireNoBreak,
  requireStatus,
  requireThat,
} from '../../probe/findings.ts';
import {
  awaitEnd,
  bodyOf,
  endOf,
  freshBinding,
  freshInstance,
  removeThing,
  type LivingThing,
} from '../../probe/lifecycle.ts';
import { requirePresent } from '../../probe/presence.ts';
import type { Probe } from '../../probe/probe.ts';
import { requireNothingMade } from '../../probe/refusal.ts';
import { bindRequest, rotateRequest } from '../../probe/requests.ts';
import { freshPath } from './binding.ts';
import { fetched } from '../fetching.ts';

const rotation = 'Binding Rotation';

/** Bindings that follow on others. */
export const rotationCases: CaseGroup = {
  name: 'rotation',
  cases: [
    ofRotatable('ROT-01', 'MUST', 'A rotation makes a new binding.', async (probe) => {
      const { path: old } = await freshBinding(probe);
      const path = await freshPath(probe);
      const answer = await probe.send(rotateRequest(probe, path, old));
      requireStatus(answer, [201, 202], 'A rotation');
      if (answer.status === 201) return;
      const end = await awaitEnd(probe, path, answer);
      requireThat(
        end.is !== 'failed',
        'The rotation was accepted, and its operation has failed.',
        end.answer,
      );
    }),
    ofRotatable(
      'ROT-02',
      'SHOULD',
      'A rotation needs to name nothing but its predecessor.',
      async (probe) => {
        await freshSuccessor(probe);
        const { path: old } = await freshBinding(probe);
        const bare = { service_id: undefined, plan_id: undefined };
        const answer = await probe.send(rotateRequest(probe, await freshPath(probe), old, bare));
        requireAccepted(answer, 'A rotation that names nothing but its predecessor');
      },
    ),
    ofRotatable('ROT-03', 'MUST', 'Both bindings work, and each can be removed alone.', async (probe) => {
      const one = await freshSuccessor(probe);
      await requirePresent(probe, one.old.path, 'The rotation of a binding', one.answer);
      await removeThing(probe, one.path);
      await requirePresent(probe, one.old.path, 'An unbind of its successor', one.old.answer);
      const other = await freshSuccessor(probe);
      await removeThing(probe, other.old.path);
      await requirePresent(probe, other.path, 'An unbind of its predecessor', other.answer);
    }),
    ofRotatable('ROT-04', 'MUST', 'An unknown predecessor is refused.', async (probe) => {
      await requireNoSuccessor(probe, probe.newId(), 'A rotation of an unknown binding');
      const path = await freshPath(probe);
      const request = rotateRequest(probe, path, '', { predecessor_binding_id: 17 });
      await requireNothingMade(probe, request, 'A rotation with a number as its predecessor', [400]);
    }),
    ofRotatable('ROT-05', 'MUST', 'A predecessor of another instance is refused.', async (probe) => {
      const { path } = await freshBinding(probe, {}, await freshInstance(probe));
      await requireNoSuccessor(probe, path, 'A rotation of a binding of another instance');
    }),
    ofRotatable('ROT-06', 'MUST', 'A predecessor that was removed is refused.', async (probe) => {
      const { path } = await freshBinding(probe);
      await removeThing(probe, path);
      await requireNoSuccessor(probe, path, 'A rotation of a binding that was removed');
    }),
    ofRotatable('ROT-07', 'MUST', 'A binding cannot be its own predecessor.', async (probe) => {
      const fresh = await freshPath(probe);
      await requireNothingMade(
        probe,
        rotateRequest(probe, fresh, fresh),
        'A rotation of a binding that is its own predecessor',
        undefined,
      );
      const { path } = await freshBinding(probe);
      const answer = await probe.send(rotateRequest(probe, path, path));
      requireThat(
        answer.status >= 400 && answer.status < 500,
        `A rotation of an existing binding to itself was answered ${answer.status}; 4xx is right.`,
        answer,
      );
      await requirePresent(probe, path, 'A rotation of an existing binding to itself', answer);
    }),
    ofRotatable('ROT-08', 'SHOULD', 'The same rotation again is 200.', async (probe) => {
      const { path, old } = await freshSuccessor(probe);
      const { status } = await probe.send(bindRequest(probe, old.path));
      onlyWhen(status === 200, 'The same bind again is not 200 either.');
      requireStatus(await probe.send(rotateRequest(probe, path, old.path)), [200], 'The same rotation again');
    }),
    ofRotatable('ROT-09', 'SHOULD', 'The same id with another predecessor is 409.', async (probe) => {
      const { path } = await freshSuccessor(probe);
      const other = await freshBinding(probe);
      requireStatus(
        await probe.send(rotateRequest(probe, path, other.path)),
        [409],
        'A rotation of an existing id with another predecessor',
      );
    }),
    ofRotatable('ROT-10', 'SHOULD', 'A successor takes over the parameters.', async (probe) => {
      const { parameters } = probe;
      onlyWhen(parameters !== undefined, 'It needs --parameters.');
      onlyWhen(probe.market.bindingsRetrievable, 'Bindings cannot be fetched.');
      const old = await freshBinding(probe, { parameters });
      const before = (await fetched(probe, old.path)).body['parameters'];
      onlyWhen(isObject(before), 'The parameters of bindings are not told.');
      const { path } = await successorOf(probe, old);
      const told = await fetched(probe, path);
      requireThat(
        sameJson(told.body['parameters'], before),
        'A successor has other parameters than its predecessor.',
        told,
      );
    }),
    ofRotatable('ROT-11', 'SHOULD', 'A successor has credentials of its own.', async (probe) => {
      const old = await freshBinding(probe);
      const { credentials: first } = await bodyOf(probe, old);
      onlyWhen(isObject(first), 'Bindings have no credentials.');
      const { credentials: other } = await bodyOf(probe, await freshBinding(probe));
      onlyWhen(!sameJson(other, first), 'All bindings have the same credentials.');
      const successor = await successorOf(probe, old);
      const { credentials } = await bodyOf(probe, successor);
      requireThat(
        !sameJson(credentials, first),
        'A successor has the credentials of its predecessor.',
        successor.answer,
      );
    }),
    ofRotatable('ROT-12', 'MUST', 'A successor can be rotated.', async (probe) => {
      const { path: second } = await freshSuccessor(probe);
      const answer = await probe.send(rotateRequest(probe, await freshPath(probe), second));
      requireAccepted(answer, 'A rotation of a successor');
    }),
    defineCase(
      'ROT-13',
      'HARD',
      rotation,
      'Rotating what cannot be rotated breaks nothing.',
      async (probe) => {
        onlyWhen(!probe.market.rotatable, 'The plan can be rotated.');
        const { path: old } = await freshBinding(probe);
        requireNoBreak(
          await probe.send(rotateRequest(probe, await freshPath(probe), old)),
          'A rotation of a plan that cannot be rotated',
        );
      },
      17,
    ),
    ofRotatable('ROT-14', 'MUST', 'Without accepts_incomplete the answer is never 202.', async (probe) => {
      const { path: old } = await freshBinding(probe);
      const answer = await probe.send(rotateRequest(probe, await freshPath(probe), old, {}, {}));
      requireThat(
        answer.status !== 202,
        'A rotation that accepts nothing incomplete was answered 202.',
        answer,
      );
    }),
  ],
};

function ofRotatable(
  id: string,
  level: ConformanceCase['level'],
  requirement: string,
  look: (probe: Probe) => Promise<void>,
): ConformanceCase {
  const onlyOfRotatable = async (probe: Probe): Promise<void> => {
    onlyWhen(probe.market.rotatable, 'The plan cannot be rotated.');
    await look(probe);
  };
  return defineCase(id, level, rotation, requirement, onlyOfRotatable, 17);
}

/** The successor of a new binding. @throws Inapplicable */
async function freshSuccessor(probe: Probe): Promise<LivingThing & { readonly old: LivingThing }> {
  const old = await freshBinding(probe);
  return { ...(await successorOf(probe, old)), old };
}

/** @throws Inapplicable */
async function successorOf(probe: Probe, old: LivingThing): Promise<LivingThing> {
  const path = await freshPath(probe);
  const answer = await probe.send(rotateRequest(probe, path, old.path));
  const { is } = await endOf(probe, path, answer, 'a rotation');
  onlyWhen(is === 'succeeded', 'The rotation has not succeeded.');
  return { path, answer };
}

async function requireNoSuccessor(probe: Probe, predecessor: string, subject: string): Promise<void> {
  const request = rotateRequest(probe, await freshPath(probe), predecessor);
  await requireNothingMade(probe, request, subject, undefined);
}
