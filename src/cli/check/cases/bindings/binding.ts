import { isObject, sameJson } from '../../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../../case.ts';
import { requireBindingMembers } from '../../probe/binding-members.ts';
import { repetitionCodes } from '../../probe/endpoint.ts';
import { onlyWhen, requireStatus, requireThat, requireWord } from '../../probe/findings.ts';
import { awaitEnd, bodyOf, freshBinding, keptBinding, keptInstance } from '../../probe/lifecycle.ts';
import { requireAbsent } from '../../probe/presence.ts';
import type { Probe } from '../../probe/probe.ts';
import { bindingPath, bindRequest } from '../../probe/requests.ts';

const response = 'Binding: Response';
const body = 'Binding: Body';

/** New bindings. */
export const bindingCases: CaseGroup = {
  name: 'binding',
  cases: [
    defineCase(
      'BND-01',
      'MUST',
      response,
      'A new binding is told with 201, or with 202 and then as succeeded.',
      async (probe) => {
        const path = await freshPath(probe);
        const answer = await probe.send(bindRequest(probe, path));
        requireStatus(answer, [201, 202], 'A bind');
        if (answer.status === 201) return;
        const end = await awaitEnd(probe, path, answer);
        requireThat(end.is !== 'failed', 'The bind was accepted, and its operation has failed.', end.answer);
      },
    ),
    defineCase(
      'BND-02',
      'MUST',
      'Asynchronous Operations',
      'Without accepts_incomplete the answer is never 202.',
      async (probe) => {
        const path = await freshPath(probe);
        const answer = await probe.send(bindRequest(probe, path, {}, {}));
        // Whether 200 is right for what is new is told by BND-01.
        requireStatus(answer, [200, 201, 422], 'A bind that accepts nothing incomplete');
        if (answer.status < 300) return;
        requireWord(answer, 'AsyncRequired', 'A bind that accepts nothing incomplete');
        await requireAbsent(probe, path, 'A bind that accepts nothing incomplete', answer);
      },
    ),
    defineCase(
      'BND-03',
      'SHOULD',
      response,
      'The same request for a binding that is there is 200.',
      async (probe) => {
        const { path } = await keptBinding(probe);
        const again = await probe.send(bindRequest(probe, path));
        onlyWhen(
          repetitionCodes.includes(again.status),
          'The repetition is refused in another way: see BND-04.',
        );
        requireStatus(again, [200], 'The same bind again');
      },
    ),
    defineCase(
      'BND-04',
      'MUST',
      response,
      'The same request several times makes one binding.',
      async (probe) => {
        const { path } = await keptBinding(probe);
        for (let time = 0; time < 3; time += 1)
          requireStatus(await probe.send(bindRequest(probe, path)), repetitionCodes, 'The same bind again');
      },
    ),
    defineCase('BND-05', 'HARD', response, 'A repetition tells the same credentials.', async (probe) => {
      const thing = await keptBinding(probe);
      const { credentials } = await bodyOf(probe, thing);
      const again = await probe.send(bindRequest(probe, thing.path));
      onlyWhen(again.status === 200 && isObject(credentials), 'The broker does not repeat credentials.');
      requireThat(
        sameJson(again.body['credentials'], credentials),
        'The repetition tells other credentials.',
        again,
      );
    }),
    defineCase(
      'BND-06.parameters',
      'MUST',
      response,
      'An existing id with other parameters is 409.',
      async (probe) => {
        const { path } = await keptBinding(probe);
        onlyWhen(probe.otherParameters !== undefined, 'It needs --other-parameters.');
        const answer = await probe.send(bindRequest(probe, path, { parameters: probe.otherParameters }));
        // A schema of binds may not allow what is right for instances.
        onlyWhen(answer.status !== 400, 'A bind does not take these parameters.');
        requireStatus(answer, [409], 'A bind of an existing id with other parameters');
      },
    ),
    defineCase(
      'BND-18',
      'SHOULD',
      body,
      'A service that requires nothing gives credentials.',
      async (probe) => {
        onlyWhen(probe.market.requires.length === 0, 'The service requires something.');
        const { answer } = await keptBinding(probe);
        onlyWhen(answer.status !== 202, 'Bindings take their time: FEB-08 looks at what is fetched.');
        requireThat(answer.body['credentials'] !== undefined, 'A binding has no credentials.', answer);
      },
    ),
    defineCase(
      'BND-19',
      'SHOULD',
      'Credentials',
      'Two bindings have different credentials.',
      async (probe) => {
        const first = await bodyOf(probe, await keptBinding(probe));
        onlyWhen(isObject(first['credentials']), 'Bindings have no credentials.');
        const second = await freshBinding(probe);
        const told = await bodyOf(probe, second);
        requireThat(
          !sameJson(told['credentials'], first['credentials']),
          'Two bindings have the same credentials.',
          second.answer,
        );
      },
    ),
    defineCase(
      'BND-20',
      'MUST',
      'Log Drain',
      'A service that requires syslog_drain gives a syslog_drain_url.',
      givesWhatItRequires('syslog_drain', 'syslog_drain_url'),
    ),
    defineCase(
      'BND-21',
      'MUST',
      'Volume Services',
      'A service that requires volume_mount gives volume_mounts.',
      givesWhatItRequires('volume_mount', 'volume_mounts'),
    ),
    defineCase(
      'BND-28',
      'MUST',
      body,
      'The members of a successful answer have their types, and are those that the service may give.',
      async (probe) => {
        const thing = await keptBinding(probe);
        requireBindingMembers(await bodyOf(probe, thing), probe.market.requires, thing.answer);
      },
    ),
  ],
};

export async function freshPath(probe: Probe): Promise<string> {
  onlyWhen(probe.market.bindable, 'The plan cannot be bound.');
  return bindingPath((await keptInstance(probe)).path, probe.newId());
}

function givesWhatItRequires(permission: string, member: string) {
  return async (probe: Probe): Promise<void> => {
    onlyWhen(probe.market.requires.includes(permission), `The service does not require ${permission}.`);
    const thing = await keptBinding(probe);
    requireThat(
      (await bodyOf(probe, thing))[member] !== undefined,
      `A binding has no ${member}.`,
      thing.answer,
    );
  };
}
