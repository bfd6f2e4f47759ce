import type { ServicePlan, SecretRule } from '../catalog.ts';
import type { BrokerContext } from '../context.ts';
import { Refusal } from '../errors.ts';
import type { OperationSummary } from '../events.ts';
import type { Demand } from '../nodes.ts';
import type { Outcome } from '../outcome.ts';
import {
  isPlatformKind,
  type Operation,
  type OperationConfidential,
  type OperationKind,
  type Origin,
} from '../records.ts';
import type { Opening, OnBehalfOf } from '../store.ts';

/** What a use case wants done; the engine opens it and runs it. */
export interface Intent extends Pick<Opening, 'instance' | 'binding'> {
  readonly plan: ServicePlan;
  readonly operation: Operation;
  /** The open create, or whatever else may be cancelled (docs/lifecycle.md, Which operations may meet). */
  readonly cancels?: Operation;
  /** What there must be room for. */
  readonly demand?: Demand;
  /** Nothing is to be made: only what the broker remembers changes. */
  readonly recordOnly?: boolean;
  /** Of a new instance: nobody has looked whether there is one. Unless it is made in one write, it is decided again. */
  readonly unseen?: boolean;
}

/**
 * What a use case decided after looking at what is there. `waits`: the answer cannot be given later, so the
 * request waits for it even if it would accept less. `answers`: the end of what is joined is the answer, and nothing
 * is decided after it.
 */
export type Decision<Rec> =
  | Outcome<Rec>
  | { readonly join: Operation; readonly record: Rec; readonly waits?: boolean; readonly answers?: boolean }
  | { readonly start: Intent; readonly waits?: boolean }
  /** Decided again when this one has ended; when patience ends before, it is occupied. */
  | { readonly after: OperationSummary; readonly waits?: boolean };

/** Seconds after which an operation is failed when its plan does not say. */
const defaultDeadline = 3600;

/** A new operation, in progress and not yet held. */
export function newOperation(
  core: BrokerContext,
  plan: ServicePlan,
  kind: OperationKind,
  of: { instanceId: string; bindingId?: string; origin: Origin; confidential?: OperationConfidential },
): Operation {
  const now = core.now();
  return {
    id: core.newId(),
    kind,
    instanceId: of.instanceId,
    bindingId: of.bindingId,
    offeringId: plan.offeringId,
    planId: plan.id,
    state: 'in progress',
    attempt: 0,
    failures: 0,
    origin: of.origin,
    confidential: of.confidential ?? {},
    createdAt: now,
    deadline: new Date(now.getTime() + secondsAllowed(plan, kind) * 1000),
  };
}

/** Seconds an operation of this plan may take. No platform polls for a backup or an action: that has as long as its step. */
export function secondsAllowed(plan: ServicePlan, kind: OperationKind): number {
  if (kind !== 'backup' && kind !== 'restore' && kind !== 'action')
    return plan.maximumPollingDuration ?? defaultDeadline;
  const asked = plan.operating.timeouts[kind] ?? plan.operating.hooks[kind]?.timeout ?? 0;
  return Math.max(defaultDeadline, asked / 1000) + timeAround;
}

/** Seconds for what is done before and after the step itself: units end and start. */
const timeAround = 600;

/** The secrets a plan wants at this level: those that exist are kept, so a repetition converges. */
export function makeSecrets(
  core: BrokerContext,
  plan: ServicePlan,
  per: SecretRule['per'],
  existing: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const wanted = Object.entries(plan.making.secrets).filter(([, rule]) => rule.per === per);
  const fresh = wanted.map(([name, { length }]) => [name, existing[name] ?? core.newSecret(length)]);
  return { ...existing, ...Object.fromEntries(fresh) };
}

/** Some plans cannot finish within a request (spec.md, Asynchronous Operations). */
export function requireAsync(plan: ServicePlan, kind: OperationKind, acceptsIncomplete: boolean): void {
  if (acceptsIncomplete || !plan.making.asyncRequired.includes(kind)) return;
  throw new Refusal(
    'async-required',
    'This service plan requires client support for asynchronous service operations.',
  );
}

/**
 * What no platform has asked for, no platform can know of: it is waited for, and then it is decided again. What another
 * request has asked for is told as that.
 */
export function busyWith(
  { within, giveUp }: { readonly within?: OnBehalfOf; readonly giveUp?: string },
  open: OperationSummary | undefined,
  sentence?: string,
): { readonly after: OperationSummary } {
  const isOwn = within !== undefined || giveUp !== undefined;
  return open && !isOwn && !isOfPlatform(open) ? { after: open } : busy(sentence);
}

export function isOfPlatform({ kind, origin }: OperationSummary): boolean {
  return isPlatformKind(kind) && !['operator', 'monitor', 'broker'].includes(origin.protocol);
}

export function busy(
  sentence = 'Another operation on this service instance is in progress. Try again later.',
): never {
  throw new Refusal('busy', sentence);
}

/** What nobody can know of has not ended as long as the request could wait: the same request helps, later. */
export function occupied({ kind }: OperationSummary): never {
  const sentence = `The service instance is being looked after by those who run it (${kind}). Try again in a moment.`;
  throw new Refusal('occupied', sentence);
}
