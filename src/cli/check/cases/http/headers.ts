import { defineCase, type CaseGroup } from '../../case.ts';
import { onlyWhen, requireStatus, requireThat } from '../../probe/findings.ts';
import { keptInstance } from '../../probe/lifecycle.ts';
import { isText } from '../../probe/market.ts';
import type { Probe } from '../../probe/probe.ts';
import { deleteRequest, instancePath, provisionRequest } from '../../probe/requests.ts';
import type { WireAnswer } from '../../probe/wire.ts';

const version = 'API Version Header';
const originating = 'Originating Identity';
const identity = 'Request Identity';
const versionName = 'x-broker-api-version';
const originatingName = 'x-broker-api-originating-identity';
const identityName = 'x-broker-api-request-identity';

/** What platforms send with every request. */
export const headerCases: CaseGroup = {
  name: 'headers and version',
  cases: [
    defineCase(
      'HDR-01',
      'MUST',
      version,
      'A request without a version is processed or refused with 400.',
      async (probe) => {
        requireStatus(
          await catalogWith(probe, { [versionName]: undefined }),
          [200, 400],
          'A request without a version',
        );
      },
    ),
    defineCase(
      'HDR-02',
      'MUST',
      version,
      'A version that is not served is refused with 412.',
      async (probe) => {
        for (const one of ['1.0', '3.0'])
          requireStatus(
            await catalogWith(probe, { [versionName]: one }),
            [200, 412],
            `A request of version ${one}`,
          );
      },
    ),
    defineCase(
      'HDR-03',
      'MUST',
      version,
      'A version that is none is processed or refused with 400 or 412.',
      async (probe) => {
        for (const one of ['two', '2', '2.x', '-1.5'])
          requireStatus(
            await catalogWith(probe, { [versionName]: one }),
            [200, 400, 412],
            `A request of version '${one}'`,
          );
      },
    ),
    defineCase('HDR-04', 'HARD', version, 'A newer minor version is served.', async (probe) => {
      requireStatus(await catalogWith(probe, { [versionName]: '2.99' }), [200], 'A request of version 2.99');
    }),
    defineCase(
      'HDR-05',
      'SHOULD',
      identity,
      'The request identity comes back.',
      async (probe) => {
        const sent = probe.newId();
        requireEcho(await catalogWith(probe, { [identityName]: sent }), sent, 'A success');
      },
      15,
    ),
    defineCase(
      'HDR-06',
      'SHOULD',
      identity,
      'The request identity comes back with errors too.',
      async (probe) => {
        const sent = probe.newId();
        const headers = { [identityName]: sent };
        const gone = deleteRequest(probe, instancePath(probe.newId()));
        requireEcho(await probe.send({ ...gone, headers }), sent, 'A deletion of what is not there');
        const malformed = provisionRequest(probe, instancePath(probe.newId()));
        requireEcho(await probe.send({ ...malformed, text: '{', headers }), sent, 'Malformed JSON');
      },
      15,
    ),
    defineCase(
      'HDR-07',
      'MUST',
      originating,
      'An originating identity makes no difference to what is done.',
      async (probe) => {
        await keptInstance(probe);
        for (const [platform, user] of [
          ['cloudfoundry', { user_id: probe.newId() }],
          ['kubernetes', { username: 'conformance', uid: probe.newId(), groups: ['a'], extra: {} }],
        ] as const) {
          const answer = await probe.send({
            ...provisionRequest(probe, instancePath(probe.newId())),
            headers: { [originatingName]: `${platform} ${encoded(user)}` },
          });
          requireStatus(answer, [200, 201, 202], `A provision with an originating identity of ${platform}`);
        }
      },
    ),
    defineCase(
      'HDR-08',
      'MUST',
      originating,
      'An originating identity that cannot be read is ignored or refused with 400.',
      async (probe) => {
        for (const one of [
          'cloudfoundry',
          'cloudfoundry !!!',
          `cloudfoundry ${encoded('text')}`,
          `cloudfoundry ${encoded([1])}`,
        ])
          requireStatus(
            await catalogWith(probe, { [originatingName]: one }),
            [200, 400],
            `The originating identity '${one}'`,
          );
      },
    ),
    defineCase(
      'HDR-09',
      'HARD',
      originating,
      'An originating identity of an unknown platform does no harm.',
      async (probe) => {
        const headers = { [originatingName]: `elsewhere ${encoded({ who: 'conformance' })}` };
        await keptInstance(probe);
        const answer = await probe.send({ ...provisionRequest(probe, instancePath(probe.newId())), headers });
        requireStatus(answer, [200, 201, 202, 400], 'An originating identity of an unknown platform');
      },
    ),
    defineCase(
      'HDR-10',
      'HARD',
      'HTTP',
      'Unknown headers, Accept and overrides of the method make no difference.',
      async (probe) => {
        requireStatus(
          await catalogWith(probe, { accept: 'text/html' }),
          [200, 406],
          'A request that accepts only text/html',
        );
        const odd = { 'x-unknown': 'x', 'x-http-method-override': 'DELETE' };
        requireStatus(await catalogWith(probe, odd), [200], 'A request with headers that mean nothing here');
      },
    ),
    defineCase(
      'HDR-11',
      'SHOULD',
      version,
      'A refusal because of the version says what is needed.',
      async (probe) => {
        const answer = await catalogWith(probe, { [versionName]: '1.0' });
        onlyWhen(answer.status === 412, 'The broker refuses no version.');
        requireThat(
          isText(answer.body['description']),
          'The refusal of version 1.0 has no description.',
          answer,
        );
      },
    ),
  ],
};

function catalogWith(
  probe: Probe,
  headers: Readonly<Record<string, string | undefined>>,
): Promise<WireAnswer> {
  return probe.send({ method: 'GET', path: '/v2/catalog', headers });
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64');
}

function requireEcho(answer: WireAnswer, sent: string, subject: string): void {
  requireThat(
    answer.headers[identityName] === sent,
    `${subject} was answered without the request identity.`,
    answer,
  );
}
