/** One of the reasons that an API server gives for its answer. */
export interface ClusterCause {
  /** `FieldManagerConflict`, `NamespaceTerminating`, `FieldValueInvalid`, ... */
  readonly reason: string;
  readonly message: string;
  /** The path of the member that is meant. */
  readonly field: string;
}

interface Refused {
  readonly status: number;
  readonly reason?: string;
  readonly message: string;
  readonly causes?: readonly ClusterCause[];
  readonly retryAfterMs?: number | undefined;
}

/** An API server has answered that it does not do it. */
export class ClusterError extends Error {
  readonly status: number;
  /** `Forbidden`, `Conflict`, `Invalid`, ...; empty when the answer was not in the words of the API. */
  readonly reason: string;
  readonly causes: readonly ClusterCause[];
  /** How long the server wants to be left alone; undefined when it did not say so. */
  readonly retryAfterMs: number | undefined;

  constructor({ status, reason = '', message, causes = [], retryAfterMs }: Refused) {
    super(message);
    this.name = 'ClusterError';
    this.status = status;
    this.reason = reason;
    this.causes = causes;
    this.retryAfterMs = retryAfterMs;
  }
}
