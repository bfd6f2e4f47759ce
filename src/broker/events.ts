import type { Operation } from './records.ts';

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
  | { readonly type: 'trouble'; readonly doing: string; readonly detail: string };

export function summarize(operation: Operation): OperationSummary {
  const { confidential: _hidden, ...summary } = operation;
  return summary;
}
