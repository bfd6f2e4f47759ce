import { isObject, type Json } from '../../../broker/json.ts';
import { requireThat } from './findings.ts';
import { isText } from './market.ts';
import type { WireAnswer } from './wire.ts';

/** The longest operation, in characters. */
const longestOperation = 10_000;

/** An operation is a text that is not too long. @throws Shortcoming */
export function requireOperation(answer: WireAnswer): void {
  const { operation } = answer.body;
  requireThat(
    operation === undefined || (isText(operation) && operation.length <= longestOperation),
    'The operation is no text of at most 10,000 characters.',
    answer,
  );
}

/** What the answers to a provision and to an update tell of an instance has its types. @throws Shortcoming */
export function requireInstanceMembers(answer: WireAnswer): void {
  const { dashboard_url: dashboard, metadata } = answer.body;
  requireThat(isTextOrNull(dashboard), 'The dashboard_url is no text.', answer);
  const parts = isObject(metadata) ? [metadata['labels'], metadata['attributes']] : [metadata];
  requireThat(
    parts.every((one) => one === undefined || isObject(one)),
    'The metadata is no object of objects.',
    answer,
  );
}

function isTextOrNull(value: Json | undefined): boolean {
  return value === undefined || value === null || typeof value === 'string';
}
