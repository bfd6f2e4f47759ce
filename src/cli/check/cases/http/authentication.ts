import { defineCase, type CaseGroup } from '../../case.ts';
import { onlyWhen, requireStatus, requireThat, Shortcoming } from '../../probe/findings.ts';
import { tellsCatalog } from '../../probe/market.ts';
import { isThere } from '../../probe/presence.ts';
import type { Probe } from '../../probe/probe.ts';
import {
  bindingPath,
  bindRequest,
  deleteRequest,
  instancePath,
  provisionRequest,
  updateRequest,
} from '../../probe/requests.ts';
import type { WireAnswer, WireRequest } from '../../probe/wire.ts';

const section = 'Platform to Service Broker Authentication';
const anonymous = { authorization: undefined };

/** Who gets in. */
export const authenticationCases: CaseGroup = {
  name: 'authentication',
  cases: [
    defineCase('AUT-01', 'MUST', section, 'Every endpoint asks for a login.', async (probe) => {
      for (const request of endpointsOf(probe)) {
        const answer = await probe.send({ ...request, headers: anonymous });
        requireStatus(answer, [401], `${request.method} ${request.path} without a login`);
      }
    }),
    defineCase('AUT-02', 'MUST', section, 'A wrong name or password is 401.', async (probe) => {
      for (const login of ['nobody-here:nothing', 'nobody-here:', ':nothing', ':', '__proto__:constructor'])
        requireStatus(await catalogAs(probe, basic(login)), [401], 'A wrong login');
    }),
    defineCase(
      'AUT-03',
      'MUST',
      section,
      'An Authorization header that is malformed or of another scheme is 401.',
      async (probe) => {
        for (const one of [
          'Basic',
          'Basic !!!',
          basic('without-colon'),
          'Bearer abc',
          'nonsense',
          `Basic ${Buffer.from([255, 254, 58, 255]).toString('base64')}`,
        ])
          requireStatus(await catalogAs(probe, one), [401], `The Authorization header '${one}'`);
        requireStatus(
          await catalogAs(probe, basic(`${'x'.repeat(6000)}:y`)),
          [401, 431],
          'An Authorization header of 8 kB',
        );
      },
    ),
    defineCase(
      'AUT-04',
      'MUST',
      `${section}; Error Codes`,
      'Without a login nothing is changed.',
      async (probe) => {
        const path = instancePath(probe.newId());
        const answer = await probe.send({ ...provisionRequest(probe, path), headers: anonymous });
        onlyWhen(answer.status === 401, 'A provision without a login is not refused.');
        if ((await isThere(probe, path)) === true)
          throw new Shortcoming(
            'A provision without a login was refused, and the instance is there.',
            answer,
          );
      },
    ),
    defineCase(
      'AUT-05',
      'MUST',
      section,
      'The missing login is told before anything else that is wrong.',
      async (probe) => {
        for (const request of endpointsOf(probe)) {
          const plain = await probe.send({ ...request, headers: anonymous });
          if (plain.status !== 401) continue;
          const headers = { ...anonymous, 'x-broker-api-version': 'none' };
          const answer = await probe.send({
            ...request,
            text: request.body === undefined ? undefined : '{',
            headers,
          });
          requireStatus(answer, [401], `${request.method} without a login and with a version that is none`);
        }
      },
    ),
    defineCase(
      'AUT-06',
      'HARD',
      'RFC 9110; RFC 7617',
      'A 401 says that Basic is asked for.',
      async (probe) => {
        const answer = await refused(probe);
        requireThat(
          /^basic\b/i.test(answer.headers['www-authenticate'] ?? ''),
          'A 401 has no WWW-Authenticate: Basic.',
          answer,
        );
      },
    ),
    defineCase('AUT-07', 'HARD', 'security', 'A 401 tells nothing of what is there.', async (probe) => {
      const answer = await refused(probe);
      requireThat(!tellsCatalog(probe, answer), 'A 401 holds a part of the catalog.', answer);
    }),
    defineCase('AUT-08', 'HARD', 'RFC 7617', 'The scheme may be written in any case.', async (probe) => {
      for (const scheme of ['basic', 'BASIC'])
        requireStatus(
          await probe.send({ method: 'GET', path: '/v2/catalog', scheme }),
          [200],
          `The right login with the scheme written ${scheme}`,
        );
    }),
    defineCase('AUT-09', 'HARD', 'robustness', 'After failed logins the right one works.', async (probe) => {
      for (let time = 0; time < 10; time += 1) await catalogAs(probe, basic('nobody-here:nothing'));
      requireStatus(
        await probe.send({ method: 'GET', path: '/v2/catalog' }),
        [200],
        'The right login after ten wrong ones',
      );
    }),
  ],
};

/** One request for each endpoint, of things that nobody has made. */
function endpointsOf(probe: Probe): readonly WireRequest[] {
  const instance = instancePath(probe.newId());
  const binding = bindingPath(instance, probe.newId());
  return [
    { method: 'GET', path: '/v2/catalog' },
    { method: 'GET', path: `${instance}/last_operation` },
    { method: 'GET', path: `${binding}/last_operation` },
    provisionRequest(probe, instance),
    { method: 'GET', path: instance },
    updateRequest(probe, instance, { parameters: {} }),
    bindRequest(probe, binding),
    { method: 'GET', path: binding },
    deleteRequest(probe, binding),
    deleteRequest(probe, instance),
  ];
}

function basic(login: string): string {
  return `Basic ${Buffer.from(login).toString('base64')}`;
}

function catalogAs(probe: Probe, authorization: string): Promise<WireAnswer> {
  return probe.send({ method: 'GET', path: '/v2/catalog', headers: { authorization } });
}

/** @throws Inapplicable when the catalog is open to all */
async function refused(probe: Probe): Promise<WireAnswer> {
  const answer = await probe.send({ method: 'GET', path: '/v2/catalog', headers: anonymous });
  onlyWhen(answer.status === 401, 'The catalog is open to all.');
  return answer;
}
