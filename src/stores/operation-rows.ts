import { isObject } from '../broker/json.ts';
import type { Operation, OperationConfidential, ServiceInstance } from '../broker/records.ts';
import type { LeasedOperation, Pause, StepRecord } from '../broker/store.ts';

/**
 * What an operation knows after a pause: the memo is the pause's own, none included; the trace of a create that is
 * being undone, the request and the target stay.
 */
export function confidentialAfter({ operation }: LeasedOperation, pause: Pause): OperationConfidential {
  const { memo: _old, ...lasting } = operation.confidential;
  return {
    ...lasting,
    ...(pause.memo !== undefined && { memo: pause.memo }),
    ...(pause.trace !== undefined && { trace: pause.trace }),
  };
}

/** All that its timeline does not have yet, in order. */
export function stepsToWrite(
  { unwritten = [] }: LeasedOperation,
  { did }: { readonly did?: StepRecord },
): readonly StepRecord[] {
  return did ? [...unwritten, did] : unwritten;
}

/** The confidential part has been JSON, which has no dates: those of the target are made again. */
export function reviveOperation(operation: Operation): Operation {
  const { target } = operation.confidential;
  if (!target) return operation;
  return { ...operation, confidential: { ...operation.confidential, target: revived(target) } };
}

function revived(target: ServiceInstance): ServiceInstance {
  return { ...target, createdAt: new Date(target.createdAt), updatedAt: new Date(target.updatedAt) };
}

/** A row with a confidential part, as a store that lies in tables keeps it. */
export interface ConfidentialRow {
  readonly table:
    'service_instances' | 'service_bindings' | 'operations' | 'authorities' | 'audit_trail' | 'backups';
  /** What names the row in its table. */
  readonly ids: readonly string[];
  readonly confidential: string;
}

/** Stands for what is no JSON object, so that the rest of its row can be read all the same. */
const corrupt = { corrupt: true } as const;

export function isCorrupt(confidential: object): boolean {
  return confidential === corrupt;
}

/** Never throws: what cannot be read is found by `isCorrupt`. */
export function parseConfidential<Confidential extends object>(text: string): Confidential {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value as unknown as Confidential;
  } catch {
    // As with any other text.
  }
  return corrupt as unknown as Confidential;
}
