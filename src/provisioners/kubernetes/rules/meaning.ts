import { Failure } from '../../../broker/errors.ts';
import { ClusterError } from '../cluster-error.ts';

/** What was being done when the cluster said no. */
export type Deed = 'make' | 'change' | 'remove' | 'read' | 'exec';

/**
 * What an error means for an operation: it has failed for good; it is done later; what was to be removed is not there
 * (`unserved`: neither is its kind); or nobody knows, so it is thrown and the engine tries again until the deadline.
 */
export type Meaning =
  | { readonly is: 'failure'; readonly failure: Failure }
  | { readonly is: 'again'; readonly afterMs: number; readonly note: string }
  | { readonly is: 'gone'; readonly unserved: boolean }
  | { readonly is: 'unknown' };

type Row = (error: ClusterError, deed: Deed) => Meaning | undefined;

const unknown: Meaning = { is: 'unknown' };

export function meaningOf(error: unknown, deed: Deed): Meaning {
  if (!(error instanceof ClusterError)) return unknown;
  for (const row of rows) {
    const meaning = row(error, deed);
    if (meaning) return meaning;
  }
  return unknown;
}

/** The first that has something to say says it. */
const rows: readonly Row[] = [throttled, wrongSchema, passing, denied, forbidden, absent, conflict, invalid];

function throttled({ status, retryAfterMs }: ClusterError): Meaning | undefined {
  if (status !== 429 && (status !== 503 || retryAfterMs === undefined)) return undefined;
  return again(Math.min(retryAfterMs ?? 1000, 60_000), 'the cluster is busy');
}

/** An API server answers a mistake in an object's form as one of its own. */
function wrongSchema(error: ClusterError): Meaning | undefined {
  const mistake = /failed to create typed patch object|failed to convert new object/.test(error.message);
  return error.status === 500 && mistake ? notTaken(error) : undefined;
}

/** Also 401: the client has asked for another token before it gave up. */
function passing({ status }: ClusterError): Meaning | undefined {
  return status >= 500 || status === 401 || status === 408 ? unknown : undefined;
}

/** Webhooks choose their status themselves. */
function denied(error: ClusterError): Meaning | undefined {
  return /admission webhook .* denied|violates PodSecurity|denied request|violates the policy/.test(
    error.message,
  )
    ? failure('policy', 'The rules of the cluster do not allow this', error)
    : undefined;
}

function forbidden(error: ClusterError): Meaning | undefined {
  const { status, message } = error;
  if (status !== 403) return undefined;
  if (hasCause(error, 'NamespaceTerminating')) return again(1000, 'its namespace is being removed');
  if (/exceeded quota/.test(message)) return failure('no-room', 'The cluster has no room for this', error);
  // Whatever else forbids something says so without a user: LimitRange, the lifecycle of namespaces and others.
  return /is forbidden: /.test(message) && !/ cannot \w+ /.test(message)
    ? failure('policy', 'The rules of the cluster do not allow this', error)
    : failure('forbidden', 'The broker may not do this in the cluster', error);
}

function absent(error: ClusterError, deed: Deed): Meaning | undefined {
  const { status, reason, message } = error;
  if (status !== 404) return undefined;
  const unserved = reason !== 'NotFound' || /could not find the requested resource/.test(message);
  if (deed === 'remove') return { is: 'gone', unserved };
  if (unserved) return failure('no-kind', 'The cluster does not have what this is made of', error);
  if (deed === 'read' || deed === 'exec') return again(1000, 'what is looked for is not there yet');
  return failure('no-namespace', 'Its namespace is gone from the cluster', error);
}

function conflict(error: ClusterError, deed: Deed): Meaning | undefined {
  const { status, message } = error;
  if (status !== 409) return undefined;
  if (deed === 'make' && hasCause(error, 'FieldManagerConflict')) {
    return failure('taken', `Something of this name exists and belongs to ${ownerIn(error)}`, error);
  }
  if (/uid mismatch|Precondition failed: UID/.test(message)) {
    return deed === 'remove' ? { is: 'gone', unserved: false } : stranger(error);
  }
  return again(250, 'it was changed by somebody else at the same time');
}

function invalid(error: ClusterError): Meaning | undefined {
  const { status, message, causes } = error;
  if (status === 410) return again(250, 'the list was too old');
  if (causes.some(({ field }) => field === 'metadata.uid') || /metadata\.uid: /.test(message)) {
    return stranger(error);
  }
  if (/field is immutable|Forbidden: updates to/.test(message)) {
    const sentence = 'What exists cannot be changed like this';
    return failure('immutable', sentence, error, { instanceUsable: true });
  }
  return notTaken(error);
}

function notTaken(error: ClusterError): Meaning {
  return failure('not-taken', 'The cluster does not take what this is made of', error);
}

function stranger(error: ClusterError): Meaning {
  return failure('stranger', 'Something of this instance was replaced by somebody else', error);
}

function again(afterMs: number, note: string): Meaning {
  return { is: 'again', afterMs, note };
}

function failure(word: string, sentence: string, error: ClusterError, hints = {}): Meaning {
  const detail = `${error.status} ${withoutValues(error.message)}`;
  return { is: 'failure', failure: new Failure(word, `${sentence}.`, { ...hints, detail }) };
}

function hasCause({ causes }: ClusterError, reason: string): boolean {
  return causes.some((cause) => cause.reason === reason);
}

/** Of `conflict with "kubectl" using v1`. */
function ownerIn({ causes, message }: ClusterError): string {
  const texts = [...causes.map((cause) => cause.message), message];
  return texts.flatMap((text) => /conflicts? with "([^"]+)"/.exec(text)?.[1] ?? [])[0] ?? 'somebody else';
}

/**
 * A server repeats what it was sent, and that may be a secret in a form in which nobody recognises it: in base64, or as
 * Go prints it.
 */
function withoutValues(message: string): string {
  return message
    .replaceAll(/Invalid value: (?:"(?:[^"\\]|\\.)*"|[^\s:]+)/g, 'Invalid value')
    .replaceAll(/got &value\.valueUnstructured\{.*?\}(?=$|\n)/gs, 'got another')
    .replaceAll(/(Value|value):\s*"(?:[^"\\]|\\.)*"/g, '$1');
}
