import { Failure, Refusal, type RefusalCode } from '../../broker/errors.ts';
import { BadCall, type Reply } from '../protocol.ts';
import type { ErrorAnswer } from './wire/broker.ts';

/** The word of a refusal is its code, so that a broker which asks another one can take it up again. */
const statuses = {
  invalid: 400,
  'not-found': 404,
  conflict: 409,
  busy: 409,
  occupied: 503,
  'not-ready': 409,
  'async-required': 400,
  'maintenance-conflict': 409,
  'requires-app': 400,
  unsupported: 400,
  unreadable: 503,
  unavailable: 503,
} satisfies Record<RefusalCode, number>;

const words: Readonly<Record<number, string>> = {
  401: 'unauthorized',
  403: 'forbidden',
  429: 'too-many-requests',
};

/** `{error, description, field?, detail?}`: a word for programs, a sentence for people, and what is behind a failure. */
export function errorReply(error: unknown): Reply & { readonly body: ErrorAnswer } {
  if (error instanceof Refusal) {
    const { code, message, field } = error;
    return { status: statuses[code], body: { error: code, description: message, field } };
  }
  if (error instanceof Failure) {
    const { message, hints } = error;
    return { status: 500, body: { error: 'failed', description: message, detail: hints.detail } };
  }
  if (error instanceof BadCall) {
    const word = words[error.status] ?? 'bad-request';
    return {
      status: error.status,
      headers: error.headers,
      body: { error: word, description: error.message },
    };
  }
  return {
    status: 500,
    body: { error: 'internal', description: 'The broker met an unexpected error; its log has the details.' },
  };
}
