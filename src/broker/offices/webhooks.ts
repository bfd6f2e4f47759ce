/** Webhooks: who is told of what has happened, and what could not be told. */
import type { Origin } from '../records.ts';

export const webhookEvents = ['operation.succeeded', 'operation.failed', 'instance.status'] as const;

export type WebhookEvent = (typeof webhookEvents)[number];

/** A receiver as operators see it. */
export interface WebhookReceiver {
  readonly name: string;
  /** Without what may be secret in its address. */
  readonly target: string;
  /** Absent: all. */
  readonly events?: readonly string[] | undefined;
  /** By id; absent: all. */
  readonly offerings?: readonly string[] | undefined;
  /** Still to be told. */
  readonly waiting: number;
  /** Given up. */
  readonly dead: number;
  readonly oldestWaiting?: Date | undefined;
  /** What the latest try failed with, of what waits. */
  readonly trouble?: string | undefined;
  /** When a broker last had it. */
  readonly seenAt: Date;
}

/** What was given up. */
export interface DeadWebhook {
  readonly id: string;
  readonly event: string;
  readonly instanceId?: string | undefined;
  readonly operationId?: string | undefined;
  readonly tries: number;
  readonly trouble?: string | undefined;
  readonly createdAt: Date;
}

export interface RetryWebhooks {
  readonly receiver: string;
  /** Only this one; absent: all that are dead. */
  readonly id?: string | undefined;
  readonly origin: Origin;
}

/** What operators may do about webhooks. */
export interface WebhookOffice {
  list(): Promise<readonly WebhookReceiver[]>;
  /** The latest first, at most so many. Refuses with not-found. */
  dead(receiver: string, limit: number): Promise<readonly DeadWebhook[]>;
  /** Gives how many there are to be told again. Refuses with not-found. */
  retry(command: RetryWebhooks): Promise<number>;
}
