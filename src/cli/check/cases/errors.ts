import { isObject } from '../../../broker/json.ts';
import { defineCase, type CaseGroup } from '../case.ts';
import { isText } from '../probe/market.ts';
import { eachError, eachUnblamed, isJsonType } from './every-answer.ts';

const section = 'Service Broker Errors';

/** What holds for all errors; to be looked at when all else has been. */
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
      'ERR-03',
      'MUST',
      section,
      'The flags stand only in the answers of updates and deprovisions.',
      eachUnblamed(
        ({ endpoint }, { status, body }) =>
          status < 400 ||
          ((body['instance_usable'] === undefined || maySayUsable.has(endpoint)) &&
            (body['update_repeatable'] === undefined || endpoint === 'patch instance')),
        'has a flag that belongs to other endpoints',
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
        // Within JSON the end of a line is written as \n.
        ({ text }) =>
          !/\n\s+at \S+ \(|Traceback \(most recent|\/node_modules\/|goroutine \d+ \[/.test(
            text.replaceAll('\\n', '\n'),
          ),
        'shows a stack trace',
      ),
    ),
    defineCase(
      'CTP-02',
      'SHOULD',
      'Content Type',
      'An error is application/json.',
      // One that is no JSON at all is told by ERR-04.
      eachError(
        ({ headers, json }) => !isObject(json) || isJsonType(headers),
        'is JSON and not called application/json',
      ),
    ),
  ],
};

const maySayUsable: ReadonlySet<string> = new Set(['patch instance', 'delete instance']);
