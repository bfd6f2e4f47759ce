import type { Scope } from './orphans.ts';
import type { Operation } from './records.ts';
import type { UnitStatus } from './units.ts';

/** An operation without its confidential part. */
export type OperationSummary = Omit<Operation, 'confidential'>;

/** What happened, for logs, metrics and audit. Subscribers never steer, and no event carries a secret. */
export type BrokerEvent =
  | { readonly type: 'operation-opened'; readonly operation: OperationSummary }
  | { readonly type: 'operation-claimed'; readonly operation: OperationSummary }
  | { readonly type: 'operation-cancelled'; readonly operation: OperationSummary; readonly by: string }
  | { readonly type: 'operation-settled'; readonly operation: OperationSummary; readonly ms: number }
  | { readonly type: 'operation-lost'; readonly operation: OperationSummary }
  | {
      readonly type: 'step-failed';
      readonly operation: OperationSummary;
      readonly detail: string;
      readonly retryMs?: number;
    }
  | { readonly type: 'undo-started'; readonly operation: OperationSummary; readonly detail: string }
  | { readonly type: 'binding-expired'; readonly instanceId: string; readonly bindingId: string }
  | {
      readonly type: 'unit-changed';
      readonly instanceId: string;
      readonly unit: string;
      /** Absent: it is seen for the first time. */
      readonly from?: UnitStatus;
      readonly to: UnitStatus;
      readonly reason: string;
    }
  /** It failed again after the last restart that its plan allows. */
  | {
      readonly type: 'left-alone';
      readonly instanceId: string;
      readonly unit: string;
      readonly restarts: number;
    }
  | ({ readonly type: 'orphan-suspected' | 'orphan-removed'; readonly name: string } & Scope)
  /** A record that could not be read, and is passed over until it can. */
  | {
      readonly type: 'unreadable';
      readonly table: string;
      readonly ids: readonly string[];
      readonly detail: string;
    }
  | { readonly type: 'trouble'; readonly doing: string; readonly detail: string };

export function summarize(operation: Operation): OperationSummary {
  const { confidential: _hidden, ...summary } = operation;
  return summary;
}
