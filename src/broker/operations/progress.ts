import type { LeasedOperation } from '../store.ts';
import type { Progress } from './step.ts';

/** That of an operation with which nothing more was done. */
export function keepMemo({ operation: { confidential, failures, trouble } }: LeasedOperation): Progress {
  const { memo } = confidential;
  return {
    failures,
    trouble,
    memo,
  };
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
  return { ...held, operation, remainingMs: (deadlineMs ?? held.remainingMs) - passedMs };
}
