import type { LogFields, Line } from './log-lines.ts';

/** Lets a request and the operation that it was for share one line, when both are told at nearly the same time. */
export interface RequestLines {
  /** A line of anything else, which comes after all that are kept. */
  put(line: Line): void;
  /** An operation was opened, or has ended: kept until its request is told, or until the next `flush`. */
  operation(line: Line, requestId: string | undefined): void;
  /** @param line of a request that may have changed something, and was answered */
  request(line: Line, requestId: string): void;
  /** Writes what is kept. */
  flush(): void;
}

interface Kept {
  readonly requestId: string;
  readonly line: Line;
}

/**
 * @param worse of two levels
 * @param onKept hears that there is something to flush
 */
export function requestLines(
  write: (line: Line) => void,
  worse: (one: string, other: string) => string,
  onKept: () => void,
): RequestLines {
  let kept: readonly Kept[] = [];
  function flush(): void {
    const all = kept;
    kept = [];
    for (const { line } of all) write(line);
  }
  function put(line: Line): void {
    flush();
    write(line);
  }
  return {
    put,
    flush,
    operation(line, requestId) {
      if (requestId === undefined) return put(line);
      kept = [...kept, { requestId, line }];
      onKept();
    },
    request(line, requestId) {
      const own = kept.filter((one) => one.requestId === requestId);
      const last = own.at(-1)?.line;
      if (!last) return write(line);
      // Of several operations nobody knows which one the request was for.
      if (new Set(own.map(({ line: { fields } }) => fields['operation'])).size > 1) return put(line);
      kept = kept.filter((one) => one.requestId !== requestId);
      write({ ...last, level: worse(last.level, line.level), fields: together(line.fields, last.fields) });
    },
  };
}

/** `ms` is the operation's, as in each line that tells of one; so is `detail`, where it has one. */
function together({ ms, detail, ...request }: LogFields, operation: LogFields): LogFields {
  const ownDetail = operation['detail'] === undefined ? { detail } : { requestDetail: detail };
  return { ...operation, ...request, ...ownDetail, requestMs: ms };
}
