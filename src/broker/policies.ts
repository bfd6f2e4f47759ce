/** What an offering promises and allows beside how its instances are made: quotas and backups. */

/** Quotas say how many instances there may be, and what these may cost. */
export const quotaScopes = ['total', 'platform', 'organization', 'space'] as const;

/** For each of whom it is. */
export type QuotaScope = (typeof quotaScopes)[number];

/** What may be used at most; what is absent is not limited. */
export interface QuotaAmounts {
  readonly instances?: number | undefined;
  /** The sum of what the instances take of their nodes. */
  readonly cost?: number | undefined;
}

export interface Quota extends QuotaAmounts {
  /** Of all instances of the offering, of those of one plan, or of all that there are. */
  readonly of: 'offering' | 'plan' | 'all';
  readonly per: QuotaScope;
  /** Where it is said, for operators; absent: in the offering file. */
  readonly from?: string;
  readonly exceptions?: readonly QuotaException[];
}

/** What counts for one in its place; an amount that is absent is not limited. */
export interface QuotaException extends QuotaAmounts {
  /** Of the organization, space or platform, its id or its name. */
  readonly is: string;
  /** Absent: by the word of any platform. */
  readonly platform?: string | undefined;
  readonly from: string;
}

/** What is done about backups without being asked; times in milliseconds, what is absent is not done. */
export interface BackupPolicy {
  readonly every?: number;
  /** Of those that were made so: the latest of each instance that stay, and how long they stay. */
  readonly keepCount?: number;
  readonly keepFor?: number;
}
