import { defineCase, type CaseGroup } from '../../case.ts';
import { onlyWhen, requireAccepted, requireNoBreak, requireStatus } from '../../probe/findings.ts';
import { awaitEnd, endOf, freshInstance, keptInstance } from '../../probe/lifecycle.ts';
import type { Probe } from '../../probe/probe.ts';
import {
  bindingPath,
  bindRequest,
  deleteRequest,
  instancePath,
  provisionRequest,
} from '../../probe/requests.ts';

const properties = 'URL Properties';

/** Which ids there may be. */
export const idCases: CaseGroup = {
  name: 'routes and ids',
  cases: [
    defineCase('URL-01', 'MUST', properties, 'Ids of plain characters live a whole life.', async (probe) => {
      await keptInstance(probe);
      const id = probe.newId().slice(0, 8);
      for (const one of [id, `${id}.b-C_d~E`, `.${id}.`, `-${id}_`])
        await requireLife(probe, one, 'An instance whose id has unreserved characters only');
    }),
    defineCase('URL-02', 'SHOULD', properties, 'No character is forbidden in an id.', async (probe) => {
      await keptInstance(probe);
      for (const id of encodedIds(probe)) {
        const answer = await probe.send(provisionRequest(probe, instancePath(id)));
        onlyWhen(answer.status < 500, 'The broker breaks.');
        requireAccepted(answer, `A provision of the id ${shortened(id)}`);
      }
    }),
    defineCase(
      'URL-03',
      'MUST',
      properties,
      'Ids of other characters are refused, or live a whole life.',
      async (probe) => {
        await keptInstance(probe);
        for (const id of encodedIds(probe))
          await requireLife(probe, id, `An instance with the id ${shortened(id)}`, true);
      },
    ),
    defineCase(
      'URL-06',
      'MUST',
      'Routes',
      'Names that every object has are ids as any other.',
      async (probe) => {
        const { path: instance } = await keptInstance(probe);
        for (const name of ['__proto__', 'constructor', 'toString']) {
          const path = bindingPath(instance, name);
          const told = await probe.send({ method: 'GET', path: `${path}/last_operation` });
          requireStatus(told, [404], `The last operation of a binding ${name} that never was`);
          if (probe.market.bindingsRetrievable)
            requireStatus(
              await probe.send({ method: 'GET', path }),
              [404],
              `Fetching a binding ${name} that never was`,
            );
          requireNoBreak(
            await probe.send({ method: 'GET', path: `${instancePath(name)}/last_operation` }),
            `The last operation of an instance ${name}`,
          );
        }
      },
    ),
    defineCase('URL-09', 'HARD', 'Routes', 'Words of routes may be ids.', async (probe) => {
      onlyWhen(probe.market.bindable, 'The plan cannot be bound.');
      // Of bindings of an instance of our own: nobody else's can be meant.
      const { path } = await freshInstance(probe);
      for (const word of ['last_operation', 'service_bindings', 'catalog']) {
        const binding = bindingPath(path, word);
        const answer = await probe.send(bindRequest(probe, binding));
        requireAccepted(answer, `A bind with the id ${word}`);
        await endOf(probe, binding, answer, 'a binding');
      }
    }),
    defineCase('URL-11', 'HARD', properties, 'Ids differ by the case of their letters.', async (probe) => {
      onlyWhen(probe.market.instancesRetrievable, 'Instances cannot be fetched.');
      const path = instancePath(`a${probe.newId()}`);
      const answer = await probe.send(provisionRequest(probe, path));
      await endOf(probe, path, answer, 'an instance');
      const other = path.replace(/[^/]+$/, (id) => id.toUpperCase());
      requireStatus(
        await probe.send({ method: 'GET', path: other }),
        [404],
        'Fetching an id in capitals that was made in small letters',
      );
    }),
  ],
};

/** With characters that must be percent-encoded, each new. */
function encodedIds(probe: Probe): readonly string[] {
  const id = probe.newId().slice(0, 8);
  const ids = [`größe-✓-${id}`, `a b+c%d ${id}`, `a/b/${id}`, `'"<>;--?#&=${id}`, id.padEnd(255, 'x')];
  return ids.map((one) => encodeURIComponent(one));
}

function shortened(id: string): string {
  return id.length > 60 ? `${id.slice(0, 20)}… of ${id.length} characters` : id;
}

/** Made, asked after and removed. @param mayRefuse making it may be refused */
async function requireLife(probe: Probe, id: string, subject: string, mayRefuse = false): Promise<void> {
  const path = instancePath(id);
  const answer = await probe.send(provisionRequest(probe, path));
  requireNoBreak(answer, subject);
  if (mayRefuse && answer.status >= 400) return;
  requireAccepted(answer, subject);
  if (answer.status === 202) await awaitEnd(probe, path, answer);
  if (probe.market.instancesRetrievable)
    requireStatus(await probe.send({ method: 'GET', path }), [200], `${subject}, fetched,`);
  requireStatus(await probe.send(deleteRequest(probe, path)), [200, 202], `${subject}, deleted,`);
}
