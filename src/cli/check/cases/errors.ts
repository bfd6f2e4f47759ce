import { isObject } from '../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../case.ts';
import { Shortcoming } from '../probe/findings.ts';
import { successCodes } from '../probe/endpoint.ts';
import { isText } from '../probe/market.ts';
import type { Probe, RecordedExchange } from '../probe/probe.ts';
import type { WireAnswer } from '../probe/wire.ts';
import { blamedName } from '../run-cases.ts';

const section = 'Service Broker Errors';

/** What holds for all bodies and all answers; to be looked at last. */
export const errorCases: CaseGroup = {
  name: 'errors',
  cases: [
    defineCase(
      'ERR-01',
      'MUST',
      section,
      'Error and description are texts, the flags booleans.',
      eachError(
        ({ body }) =>
          ['error', 'description'].every((name) => body[name] === undefined || isText(body[name])) &&
          ['instance_usable', 'update_repeatable'].every((name) =>
            ['undefined', 'boolean'].includes(typeof body[name]),
          ),
        'has a member of another type',
      ),
    ),
    defineCase(
      'ERR-02',
      'SHOULD',
      section,
      'An error is one word.',
      eachError(
        ({ body: { error } }) => !isText(error) || /^[A-Za-z0-9]+$/.test(error),
        'has an error that is not one word',
      ),
    ),
    defineCase(
      'ERR-04',
      'SHOULD',
      section,
      'The body of an error is a JSON object.',
      eachError(({ json }) => isObject(json), 'is no JSON object'),
    ),
    defineCase(
      'ERR-05',
      'HARD',
      section,
      'Every error has a description.',
      eachError(
        ({ status, json, body }) => status === 410 || !isObject(json) || body['description'] !== undefined,
        'has no description',
      ),
    ),
    defineCase(
      'ERR-06',
      'HARD',
      'security',
      'No error shows internals.',
      eachError(
        ({ text }) => !/\n\s+at \S+ \(|Traceback \(most recent|\/node_modules\/|goroutine \d+ \[/.test(text),
        'shows a stack trace',
      ),
    ),
    defineCase(
      'ERR-08',
      'SHOULD',
      'Error Codes',
      'A 5xx leaves everything as it was.',
      'Nobody can make it happen from outside.',
    ),
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
        ({ request }, { status }) => status !== 202 || request.query?.['accepts_incomplete'] === 'true',
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
  ],
};

const definedWords: ReadonlySet<unknown> = new Set([
  'AsyncRequired',
  'ConcurrencyError',
  'RequiresApp',
  'MaintenanceInfoConflict',
]);

function isJsonType({ 'content-type': type = '' }: WireAnswer['headers']): boolean {
  return /^application\/json\b/i.test(type);
}

type Judge = (answer: WireAnswer) => boolean;

/** Of every answer so far. @param wrong as the end of a sentence */
function eachAnswer(isRight: Judge, wrong: string) {
  return async (probe: Probe): Promise<void> =>
    requireAll(probe.exchanges, (_one, answer) => isRight(answer), wrong);
}

function eachError(isRight: Judge, wrong: string) {
  return async (probe: Probe): Promise<void> =>
    requireAll(unblamed(probe), (_one, answer) => answer.status < 400 || isRight(answer), wrong);
}

function eachUnblamed(isRight: (one: RecordedExchange, answer: WireAnswer) => boolean, wrong: string) {
  return async (probe: Probe): Promise<void> => requireAll(unblamed(probe), isRight, wrong);
}

/** Without those by which another case has failed, and what is like them. */
function unblamed({ known, exchanges }: Probe): readonly RecordedExchange[] {
  const blamed = (known.get(blamedName) as readonly RecordedExchange[] | undefined) ?? [];
  const kinds = new Set(blamed.map(kindOf));
  return exchanges.filter((one) => !kinds.has(kindOf(one)));
}

function kindOf({ endpoint, answer }: RecordedExchange): string {
  return `${endpoint} ${answer?.status}`;
}

function requireAll(
  exchanges: readonly RecordedExchange[],
  isRight: (one: RecordedExchange, answer: WireAnswer) => boolean,
  wrong: string,
): void {
  const found = exchanges.find((one) => one.answer && !isRight(one, one.answer));
  if (!found?.answer) return;
  const { method, path } = found.request;
  throw new Shortcoming(`The answer ${found.answer.status} to ${method} ${path} ${wrong}.`, found.answer);
}
