import { Failure, Refusal } from './errors.ts';
import type { Scope } from './orphans.ts';
import type { Operation, Origin } from './records.ts';
import type { UnitStatus } from './units.ts';

/** An operation without its confidential part. */
export type OperationSummary = Omit<Operation, 'confidential'>;

/** What was asked for and is no operation, as events tell it: nothing that a caller meant for a program alone. */
export type CommandSummary =
  | { readonly kind: 'drain' | 'undrain' | 'forget' | 'abandon'; readonly node: string }
  | { readonly kind: 'delete-backup'; readonly backupId: string; readonly instanceId: string }
  | { readonly kind: 'cancel'; readonly operationId: string }
  | { readonly kind: 'dashboard-link'; readonly instanceId: string; readonly forMs: number }
  | {
      readonly kind: 'purge' | 'force-delete';
      readonly instanceId: string;
      readonly bindingId?: string | undefined;
    }
  | { readonly kind: 'protect' | 'unprotect' | 'undelete'; readonly instanceId: string }
  | ({ readonly kind: 'remove-orphan'; readonly name: string } & Scope)
  | { readonly kind: 'renew-authority'; readonly generation: number; readonly signsAfter: number }
  | {
      readonly kind: 'start-upgrades' | 'pause-upgrades' | 'resume-upgrades' | 'cancel-upgrades';
      readonly run: string;
    }
  | { readonly kind: 'retry-webhooks'; readonly receiver: string }
  | ({ readonly kind: 'exec'; readonly ended: readonly EndedProgram[] } & StartedProgram)
  | {
      readonly kind: 'log';
      readonly instanceId: string;
      readonly unit?: string | undefined;
      readonly lines: number;
    }
  /** Of all that lies encrypted; without numbers when it failed. */
  | {
      readonly kind: 'rekey';
      readonly records?: number | undefined;
      readonly unreadable?: number | undefined;
    };

interface StartedProgram {
  readonly instanceId: string;
  /** Absent: beside every unit. */
  readonly unit?: string | undefined;
  readonly program: string;
  /** How many: what they are may be secret. */
  readonly argumentCount: number;
}

interface EndedProgram {
  readonly unit: string;
  /** -1 when it was ended by a signal or at its time limit. */
  readonly code: number;
}

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
  /** What is done at once, and is no operation, has been done, or has failed. */
  | {
      readonly type: 'command-ended';
      readonly command: CommandSummary;
      readonly origin: Origin;
      readonly ms: number;
      readonly failure?: { readonly word: string; readonly sentence: string } | undefined;
    }
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
  /** It takes nearly all that its plan allows. */
  | {
      readonly type: 'limit-near';
      readonly instanceId: string;
      readonly unit: string;
      readonly reason: string;
    }
  /** It failed again after the last restart that its plan allows. */
  | {
      readonly type: 'left-alone';
      readonly instanceId: string;
      readonly unit: string;
      readonly restarts: number;
    }
  /** A run of upgrades has ended, or waits for an operator. */
  | {
      readonly type: 'upgrades-changed';
      readonly run: string;
      readonly state: string;
      readonly reason?: string | undefined;
      readonly counts: { readonly succeeded: number; readonly failed: number; readonly skipped: number };
    }
  /** A receiver was told something, or could not be; `dead`: it is given up. */
  | {
      readonly type: 'webhook-tried';
      readonly receiver: string;
      readonly id: string;
      readonly event: string;
      readonly result: 'delivered' | 'failed' | 'dead';
      readonly detail?: string | undefined;
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

/** One entry for each kind of event, which takes those of its kind. */
export type ByEvent<Result> = {
  readonly [Type in BrokerEvent['type']]: (event: Extract<BrokerEvent, { type: Type }>) => Result;
};

export function summarize(operation: Operation): OperationSummary {
  const { confidential: _hidden, ...summary } = operation;
  return summary;
}

/** What is to be told of a command: who asked for it, and what it was; `result` is undefined when it has failed. */
interface ToldCommand<Result> {
  readonly origin: Origin;
  readonly summary: (result: Result | undefined) => CommandSummary;
}

/** Carries a command out, and tells how it ended, once. Gives, or throws, what it came to. */
export async function tellEnd<Result>(
  observe: (event: BrokerEvent) => void,
  { origin, summary }: ToldCommand<Result>,
  carryOut: () => Promise<Result>,
): Promise<Result> {
  const began = performance.now();
  const tell = (result?: Result, failure?: ReturnType<typeof failureOf>) =>
    observe({
      type: 'command-ended',
      command: summary(result),
      origin,
      ms: Math.round(performance.now() - began),
      failure,
    });
  const result = await carryOut().catch((error: unknown) => {
    tell(undefined, failureOf(error));
    throw error;
  });
  tell(result);
  return result;
}

/** What nobody expected may hold anything: its detail is for the log of requests. */
function failureOf(error: unknown): { readonly word: string; readonly sentence: string } {
  if (error instanceof Refusal) return { word: error.code, sentence: error.message };
  if (error instanceof Failure) return { word: error.word, sentence: error.message };
  return { word: 'internal', sentence: 'An unexpected error.' };
}
