import type { LeasedOperation } from '../store.ts';
import type { LeasedResult } from './lease.ts';
import type { Progress, Verdict } from './step.ts';

/** That of an operation with which nothing more was done. */
export function keepMemo({ operation: { confidential, failures, trouble } }: LeasedOperation): Progress {
  const { memo } = confidential;
  return {
    failures,
    trouble,
    memo,
  };
}

/** Of a lease, which each write renews: the part for which something may wait for the next one. */
const mostUnwritten = 1 / 6;

/**
 * What need not be written before the next step; undefined: it must be.
 * @param passed of the lease, as a part of it
 */
export function findRepeatable(
  { result, interruption }: LeasedResult<Verdict>,
  passed: number,
): Progress | undefined {
  if (
    passed > mostUnwritten ||
    interruption ||
    !result ||
    !('again' in result) ||
    !result.repeats ||
    result.afterMs > 0
  )
    return undefined;
  return result.again.note === undefined ? result.again : undefined;
}

/** After a step whose progress is not written yet. */
export function carryUnwritten(held: LeasedOperation, { did, ...progress }: Progress): LeasedOperation {
  const { unwritten = [] } = held;
  return { ...advance(held, progress, 0), unwritten: did ? [...unwritten, did] : unwritten };
}

/** The operation as it stands in the store after this progress: only memo and trouble are forgotten. */
export function advance(held: LeasedOperation, progress: Progress, passedMs: number): LeasedOperation {
  const { memo, trace, note, failures, trouble, failure, deadlineMs } = progress;
  const { trouble: _trouble, ...before } = held.operation;
  const { memo: _memo, ...lasting } = before.confidential;
  const confidential = { ...lasting, memo, trace: trace ?? lasting.trace };
  const operation = {
    ...before,
    confidential,
    failures,
    trouble,
    note: note ?? before.note,
    failure: failure ?? before.failure,
  };
  return {
    ...held,
    unwritten: undefined,
    operation,
    remainingMs: (deadlineMs ?? held.remainingMs) - passedMs,
  };
}
