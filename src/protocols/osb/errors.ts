import { Failure, Refusal, type RefusalCode } from '../../broker/errors.ts';
import type { OperationKind } from '../../broker/records.ts';
import { BadCall, type Reply } from '../protocol.ts';

interface Meaning {
  readonly status: number;
  readonly error: string;
  /** Stands in place of the refusal's own sentence: Kubernetes recognises the code by this exact text. */
  readonly text?: string;
}

/** Only the specification's four words go with 422: Cloud Controller takes any other for a broken broker. */
const meanings = {
  invalid: { status: 400, error: 'BadRequest' },
  'not-found': { status: 404, error: 'NotFound' },
  conflict: { status: 409, error: 'Conflict' },
  busy: {
    status: 422,
    error: 'ConcurrencyError',
    text: 'The Service Broker does not support concurrent requests that mutate the same resource.',
  },
  // Not final, as a 422 is for most: the same request helps, later.
  occupied: { status: 503, error: 'ServiceUnavailable' },
  'not-ready': { status: 400, error: 'BadRequest' },
  'async-required': {
    status: 422,
    error: 'AsyncRequired',
    text: 'This service plan requires client support for asynchronous service operations.',
  },
  'maintenance-conflict': { status: 422, error: 'MaintenanceInfoConflict' },
  'requires-app': {
    status: 422,
    error: 'RequiresApp',
    text: 'This service supports generation of credentials through binding an application only.',
  },
  unsupported: { status: 400, error: 'BadRequest' },
  // Another broker may have the key that this one lacks.
  unreadable: { status: 503, error: 'ServiceUnavailable' },
  unavailable: { status: 503, error: 'ServiceUnavailable' },
} satisfies Record<RefusalCode, Meaning>;

/** Any error as the specification's error object (spec.md, Service Broker Errors). */
export function errorReply(error: unknown, operation?: OperationKind): Reply {
  if (error instanceof Refusal) return refusalReply(error, operation);
  if (error instanceof Failure) return failureReply(error, operation);
  if (error instanceof BadCall) {
    const word = words[error.status] ?? 'BadRequest';
    return {
      status: error.status,
      headers: error.headers,
      body: { error: word, description: error.message },
    };
  }
  return {
    status: 500,
    body: {
      error: 'InternalError',
      description: 'The broker met an unexpected error; its log has the details.',
    },
  };
}

const words: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  412: 'PreconditionFailed',
  413: 'PayloadTooLarge',
  415: 'UnsupportedMediaType',
  429: 'TooManyRequests',
};

function refusalReply({ code, message }: Refusal, operation: OperationKind | undefined): Reply {
  // "the requested change is not supported" is a 422 without a word (spec.md, Updating, Response).
  if (code === 'unsupported' && operation === 'update')
    return { status: 422, body: { description: message } };
  const { status, error, text }: Meaning = meanings[code];
  return { status, body: { error, description: text ?? message } };
}

/** A synchronous operation that failed. The flags belong to certain operations only (spec.md, Errors). */
function failureReply({ message, hints }: Failure, operation: OperationKind | undefined): Reply {
  const usable = operation === 'update' || operation === 'deprovision';
  const body = {
    error: 'OperationFailed',
    description: message,
    instance_usable: usable ? hints.instanceUsable : undefined,
    update_repeatable: operation === 'update' ? hints.updateRepeatable : undefined,
  };
  return { status: 500, body };
}
