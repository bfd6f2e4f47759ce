import { defineCase, type CaseGroup } from '../../case.ts';
import { sendOddity } from '../../probe/cut-off.ts';
import { onlyWhen, requireNoBreak, requireRefused, requireThat } from '../../probe/findings.ts';
import { tellsCatalog } from '../../probe/market.ts';
import type { Probe } from '../../probe/probe.ts';
import {
  bindingPath,
  bindRequest,
  deleteRequest,
  instancePath,
  provisionRequest,
} from '../../probe/requests.ts';
import type { WireRequest } from '../../probe/wire.ts';

/** Paths that no platform asks for. */
export const oddPathCases: CaseGroup = {
  name: 'routes and ids',
  cases: [
    defineCase('URL-04', 'HARD', 'robustness', 'Very long ids break nothing.', async (probe) => {
      await requireUnbroken(probe, requestsFor(probe, 'x'.repeat(10_000)), 'an id of 10,000 characters');
    }),
    defineCase('URL-05', 'HARD', 'robustness', 'NUL in an id breaks nothing.', async (probe) => {
      await requireUnbroken(probe, requestsFor(probe, `${probe.newId()}%00x`), 'an id with NUL');
    }),
    defineCase('URL-07', 'HARD', 'robustness', 'Badly encoded paths break nothing.', async (probe) => {
      for (const id of ['%', '%zz', '%c3%28', '%ed%a0%80'])
        await requireUnbroken(
          probe,
          requestsFor(probe, id).filter(({ method }) => method !== 'PUT'),
          'a badly encoded id',
        );
    }),
    defineCase('URL-08', 'MUST', 'Routes', 'An empty id never succeeds.', async (probe) => {
      const { market } = probe;
      const requests: WireRequest[] = [
        provisionRequest(probe, instancePath('')),
        deleteRequest(probe, instancePath('')),
      ];
      if (market.bindable) {
        const instance = instancePath(probe.newId());
        requests.push(bindRequest(probe, bindingPath(instance, '')));
        requests.push(bindRequest(probe, bindingPath(instancePath(''), probe.newId())));
      }
      for (const request of requests)
        requireRefused(await probe.send(request), `${request.method} ${request.path} with an empty id`);
    }),
    defineCase('URL-10', 'HARD', 'security', 'Dots in a path lead past no login.', async (probe) => {
      const anonymous = { authorization: undefined };
      const plain = await probe.send({ method: 'GET', path: '/v2/catalog', headers: anonymous });
      onlyWhen(plain.status === 401, 'The catalog is open to all.');
      onlyWhen(!tellsCatalog(probe, plain), 'Every 401 tells of the catalog.');
      for (const path of ['/v2/service_instances/../catalog', '/x/%2e%2e/v2/catalog', '/v2/./catalog']) {
        const answer = await sendOddity(probe, { method: 'GET', path, headers: anonymous });
        if (!answer) continue;
        requireNoBreak(answer, `GET ${path}`);
        requireThat(!tellsCatalog(probe, answer), `GET ${path} without a login shows the catalog.`, answer);
      }
    }),
  ],
};

function requestsFor(probe: Probe, id: string): readonly WireRequest[] {
  const path = instancePath(id);
  return [
    { method: 'GET', path },
    { method: 'GET', path: `${path}/last_operation` },
    provisionRequest(probe, path),
    deleteRequest(probe, path),
  ];
}

async function requireUnbroken(probe: Probe, requests: readonly WireRequest[], what: string): Promise<void> {
  for (const request of requests) {
    const answer = await sendOddity(probe, request);
    if (answer) requireNoBreak(answer, `${request.method} with ${what}`);
  }
}
