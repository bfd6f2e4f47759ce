import { isObject } from '../../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../../case.ts';
import { onlyWhen, requireNoBreak, requireStatus, requireThat } from '../../probe/findings.ts';
import { tellsCatalog } from '../../probe/market.ts';
import type { Probe } from '../../probe/probe.ts';
import { instancePath } from '../../probe/requests.ts';
import type { WireAnswer, WireRequest } from '../../probe/wire.ts';

const http = 'RFC 9110';
const catalog = '/v2/catalog';
const anonymous = { authorization: undefined };

/** Paths and methods that the specification does not know. */
export const routeCases: CaseGroup = {
  name: 'routes and ids',
  cases: [
    defineCase('RTE-01', 'HARD', http, 'Unknown paths are 404 in JSON.', async (probe) => {
      for (const path of ['/v2/nowhere', `${instancePath(probe.newId())}/nowhere`]) {
        const answer = await probe.send({ method: 'GET', path });
        requireStatus(answer, [404], `GET ${path}`);
        requireThat(isObject(answer.json), 'The 404 of an unknown path is no JSON object.', answer);
      }
    }),
    defineCase('RTE-02', 'HARD', http, 'Wrong methods are 405 and name the right ones.', async (probe) => {
      const instance = instancePath(probe.newId());
      for (const [method, path] of [
        ['POST', catalog],
        ['POST', instance],
        ['DELETE', `${instance}/last_operation`],
      ] as const) {
        const answer = await probe.send({ method, path });
        requireStatus(answer, [404, 405], `${method} ${path}`);
        requireThat(
          answer.status !== 405 || answer.headers['allow'] !== undefined,
          'A 405 does not say in Allow which methods there are.',
          answer,
        );
      }
    }),
    defineCase('RTE-03', 'HARD', http, 'HEAD is as GET without a body.', async (probe) => {
      const answer = await probe.send({ method: 'HEAD', path: catalog });
      requireStatus(answer, [200, 404, 405], 'HEAD of the catalog');
      requireThat(answer.text === '', 'HEAD of the catalog has a body.', answer);
    }),
    defineCase('RTE-04', 'HARD', http, 'OPTIONS shows nothing.', async (probe) => {
      const answer = await probe.send({ method: 'OPTIONS', path: catalog });
      requireNoBreak(answer, 'OPTIONS of the catalog');
      requireNothingTold(probe, answer, 'OPTIONS of the catalog');
    }),
    defineCase('RTE-05', 'HARD', http, 'TRACE shows nothing.', async (probe) => {
      const marker = probe.newId();
      const answer = await probe.send({
        method: 'TRACE',
        path: catalog,
        // A broker that echoes it would echo a login too.
        headers: { ...anonymous, 'x-conformance': marker },
      });
      requireNoBreak(answer, 'TRACE');
      requireThat(!answer.text.includes(marker), 'TRACE tells the headers of its request.', answer);
    }),
    defineCase('RTE-06', 'HARD', 'security', 'Nothing is shown without a login.', async (probe) => {
      const plain = await probe.send({ method: 'GET', path: catalog, headers: anonymous });
      onlyWhen(plain.status === 401, 'The catalog is open to all.');
      onlyWhen(!tellsCatalog(probe, plain), 'Every 401 tells of the catalog.');
      const odd: readonly WireRequest[] = [
        { method: 'GET', path: '/v2/nowhere' },
        { method: 'GET', path: '/v2/catalog/' },
        { method: 'GET', path: '/V2/CATALOG' },
        { method: 'HEAD', path: catalog },
        { method: 'OPTIONS', path: catalog },
        { method: 'POST', path: catalog },
      ];
      for (const request of odd) {
        const answer = await probe.send({ ...request, headers: anonymous });
        const subject = `${request.method} ${request.path} without a login`;
        requireNoBreak(answer, subject);
        requireNothingTold(probe, answer, subject);
      }
    }),
  ],
};

function requireNothingTold(probe: Probe, answer: WireAnswer, subject: string): void {
  requireThat(!tellsCatalog(probe, answer), `${subject} shows a part of the catalog.`, answer);
}
