/** What is told of one request that was answered: nothing of its query, headers or body. */
export interface AccessEntry {
  readonly requestId: string;
  readonly protocol: string;
  readonly method: string;
  /** As it was sent, without the query; cut when it is very long. */
  readonly path: string;
  /** The route's pattern; undefined where no route fits. */
  readonly route?: string;
  readonly status: number;
  readonly ms: number;
  /** Of the answer's body. */
  readonly bytes: number;
  /** Of the caller, as far as proxies in front can be trusted to tell it. */
  readonly address?: string;
  readonly principal?: string;
  /** Whose login was refused: a name that is known, or what stands for one that is not. */
  readonly triedUser?: string;
  /** Why it was refused, as the caller was told; of a 5xx what the caller was not told. */
  readonly detail?: string;
}

export type Observe = (access: AccessEntry) => void;

/** Shows a request as part of a trace; undefined: nobody looks. */
export type TraceRequest = (
  begun: Pick<AccessEntry, 'method' | 'path' | 'route'> & {
    /** Names in lower case. */
    readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  },
) => TracedRequest | undefined;

export interface TracedRequest {
  /** What is done meanwhile is a part of it. */
  within<Result>(work: () => Result): Result;
  end(access: AccessEntry): void;
}

const longestPath = 500;

export function shownPath(path: string): string {
  return path.length > longestPath ? `${path.slice(0, longestPath)}...` : path;
}

const longestAddress = 64;

/** A proxy that is trusted may still have passed on whatever it was told. */
export function shownAddress(address: string | undefined): string | undefined {
  return address?.slice(0, longestAddress);
}

/** A refusal's own sentence, which holds no secret, or all there is to know of an unexpected error. */
export function accessReason(status: number, thrown: unknown): string | undefined {
  if (thrown === undefined) return undefined;
  return status < 500 && thrown instanceof Error ? thrown.message : detailOf(thrown);
}

/** The operator's view of an error: its trace, and those of its causes. */
function detailOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\nCaused by: ${detailOf(error.cause)}`;
}
