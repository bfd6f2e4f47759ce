import type { CaseLevel } from '../case.ts';
import type { LeftThing } from '../probe/clean-up.ts';
import { exchangeMask, type ShownExchange } from './mask.ts';
import type { RecordedExchange } from '../probe/probe.ts';
import type { CaseResult, CaseVerdict, RunResult } from '../run-cases.ts';

/** What a run has come to, fit to be shown to anybody. */
export interface ConformanceReport {
  readonly broker: string;
  readonly apiVersion: string;
  readonly offering: string;
  readonly plan: string;
  readonly requests: number;
  readonly ms: number;
  readonly counts: Readonly<Record<CaseVerdict, number>>;
  readonly cases: readonly ReportedCase[];
  /** What could not be removed. */
  readonly left: readonly LeftThing[];
  /** Why it ended before its end. */
  readonly stopped: string | undefined;
}

export interface ReportedCase {
  readonly id: string;
  readonly level: CaseLevel;
  readonly group: string;
  readonly section: string;
  readonly requirement: string;
  readonly verdict: CaseVerdict;
  readonly reason: string | undefined;
  readonly ms: number;
  readonly exchanges: readonly ShownExchange[];
}

/** What was looked at, and when it began. */
export interface ReportSubject extends Pick<
  ConformanceReport,
  'broker' | 'apiVersion' | 'offering' | 'plan' | 'ms'
> {
  readonly password: string;
  readonly exchanges: readonly RecordedExchange[];
}

/** Puts a report together, without anything secret. */
export function conformanceReport(
  { password, exchanges, ...subject }: ReportSubject,
  { results, left, stopped }: RunResult,
): ConformanceReport {
  const { show, redact } = exchangeMask(exchanges, password);
  return {
    ...subject,
    requests: exchanges.length,
    counts: countsOf(results),
    cases: results.map(({ group, case: one, verdict, reason, exchanges: own, ms }) => ({
      id: one.id,
      level: one.level,
      group,
      section: one.section,
      requirement: one.requirement,
      verdict,
      reason: reason === undefined ? undefined : redact(reason),
      ms,
      exchanges: own.map(show),
    })),
    left: left.map(({ path, reason }) => ({ path, reason: redact(reason) })),
    stopped,
  };
}

/** 0: all that was looked at of MUST holds; 1: some does not; 2: it could not be run to its end. */
export function exitCodeOf({ counts, stopped }: ConformanceReport, strict: boolean): number {
  if (counts.failed > 0 || (strict && counts.warned > 0)) return 1;
  return stopped === undefined ? 0 : 2;
}

function countsOf(results: readonly CaseResult[]): Record<CaseVerdict, number> {
  const counts = { passed: 0, failed: 0, warned: 0, 'not applicable': 0, 'not testable': 0 };
  for (const { verdict } of results) counts[verdict] += 1;
  return counts;
}
