import { defineCase, type CaseGroup } from '../case.ts';
import { successCodes } from '../probe/endpoint.ts';
import { requireStatus } from '../probe/findings.ts';
import { eachAnswer, eachUnblamed, isJsonType } from './every-answer.ts';

/** What holds for all answers; to be looked at last. */
export const answerCases: CaseGroup = {
  name: 'errors',
  cases: [
    defineCase(
      'STS-01',
      'MUST',
      'Response tables',
      'A success has one of the codes of its endpoint.',
      eachUnblamed(
        ({ endpoint }, { status }) =>
          status >= 400 || endpoint === 'other' || (successCodes[endpoint]?.includes(status) ?? true),
        'is no success of this endpoint',
      ),
    ),
    defineCase(
      'STS-02',
      'MUST',
      'Asynchronous Operations',
      '202 comes only after accepts_incomplete.',
      eachUnblamed(
        ({ request, endpoint }, { status }) =>
          status !== 202 || endpoint.startsWith('get ') || request.query?.['accepts_incomplete'] === 'true',
        'comes without accepts_incomplete=true',
      ),
    ),
    defineCase(
      'STS-03',
      'MUST',
      'Error Codes',
      'AsyncRequired comes only without accepts_incomplete.',
      eachUnblamed(
        ({ request }, { body }) =>
          body['error'] !== 'AsyncRequired' || request.query?.['accepts_incomplete'] !== 'true',
        'is AsyncRequired after accepts_incomplete=true',
      ),
    ),
    defineCase(
      'STS-04',
      'MUST',
      'Error Codes',
      'The four defined error words come only with 422.',
      eachUnblamed(
        (_one, { status, body }) => status === 422 || !definedWords.has(body['error']),
        'has an error that belongs to 422',
      ),
    ),
    defineCase(
      'CTP-01',
      'SHOULD',
      'Content Type',
      'A success is application/json.',
      eachAnswer(({ status, headers }) => status >= 300 || isJsonType(headers), 'is not application/json'),
    ),
    defineCase(
      'CTP-03',
      'MUST',
      'Body tables',
      'The body of a success is JSON.',
      eachUnblamed(
        ({ endpoint }, { status, json }) => status >= 300 || endpoint === 'other' || json !== undefined,
        'has no JSON',
      ),
    ),
    defineCase('GLB-00', 'MUST', 'all', 'The broker stays up.', async (probe) => {
      const answer = await probe.send({ method: 'GET', path: '/v2/catalog' });
      requireStatus(answer, [200], 'The catalog, after everything else,');
    }),
    defineCase(
      'GLB-01',
      'HARD',
      'all',
      'No request is answered 5xx.',
      eachUnblamed((_one, { status }) => status < 500, 'says that the broker is broken'),
    ),
    defineCase(
      'GLB-03',
      'SHOULD',
      'Synchronous and Asynchronous Operations',
      'Every answer comes within ten seconds.',
      eachAnswer(({ ms }) => ms < 10_000, 'took more than ten seconds'),
    ),
    defineCase(
      'CCN-01',
      'CC',
      'Cloud Controller',
      'Operation and dashboard are left out rather than null.',
      eachUnblamed(
        ({ endpoint }, { status, body }) =>
          status >= 300 ||
          (body['operation'] !== null && (endpoint !== 'get instance' || body['dashboard_url'] !== null)),
        'holds a null that Cloud Controller does not read',
      ),
    ),
    defineCase(
      'CCN-02',
      'CC',
      'Cloud Controller',
      'A 422 of anything but an update has one of the four defined words.',
      eachUnblamed(
        ({ endpoint }, { status, body }) =>
          status !== 422 || !madeOrRemoved.has(endpoint) || definedWords.has(body['error']),
        'has no error that Cloud Controller knows',
      ),
    ),
  ],
};

const madeOrRemoved: ReadonlySet<string> = new Set([
  'put instance',
  'put binding',
  'delete instance',
  'delete binding',
]);

const definedWords: ReadonlySet<unknown> = new Set([
  'AsyncRequired',
  'ConcurrencyError',
  'RequiresApp',
  'MaintenanceInfoConflict',
]);
