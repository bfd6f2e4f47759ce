import { Failure, Refusal, type RefusalCode } from '../../broker/errors.ts';
import { BadCall, type Reply } from '../protocol.ts';
import { textReply } from './replies.ts';

/** tsuru knows 404 (not there), 409 (exists) and 412 (not ready); of all others it shows the text to the user. */
const statuses = {
  invalid: 400,
  'not-found': 404,
  conflict: 409,
  busy: 503,
  occupied: 503,
  'not-ready': 412,
  'async-required': 500,
  'maintenance-conflict': 500,
  'requires-app': 400,
  unsupported: 400,
  unreadable: 503,
  unavailable: 503,
} satisfies Record<RefusalCode, number>;

/** Any error as a sentence for the user's terminal. */
export function errorReply(error: unknown): Reply {
  if (error instanceof Refusal) return textReply(statuses[error.code], error.message);
  if (error instanceof Failure) return textReply(500, error.message);
  if (error instanceof BadCall) {
    // Users reach every path below an instance, with every method; what is not served is not there.
    const status = error.status === 405 ? 404 : error.status;
    return { ...textReply(status, error.message), headers: error.headers };
  }
  return textReply(500, 'The broker met an unexpected error; its log has the details.');
}
