import { printable, table } from '../../table.ts';
import type { ConformanceReport } from './report.ts';
import type { CaseResult, CaseVerdict } from '../run-cases.ts';

const marks = {
  passed: 'ok',
  failed: 'FAILED',
  warned: 'warning',
  'not applicable': '-',
  'not testable': '-',
} as const satisfies Record<CaseVerdict, string>;

const longestId = 'PRV-08.absent-parameters'.length;

/** A case for people, when it has ended. */
export function lineOf({ case: one, verdict, reason }: CaseResult): string {
  const said = reason === undefined ? one.requirement : `${one.requirement} ${reason}`;
  return printable(
    `${marks[verdict].padEnd(7)}  ${one.id.padEnd(longestId)}  ${one.level.padEnd(6)}  ${said}`,
  );
}

/** The end of a report for people. */
export function summaryOf(report: ConformanceReport): string {
  const { broker, apiVersion, offering, plan, counts, requests, ms, left, stopped } = report;
  const heads = ['PASSED', 'FAILED', 'WARNED', 'NOT APPLICABLE', 'NOT TESTABLE'];
  const { passed, failed, warned } = counts;
  const what = plan === '' ? 'no plan' : `${offering}/${plan}`;
  const row = [passed, failed, warned, counts['not applicable'], counts['not testable']].map(String);
  return [
    '',
    `${broker}, version ${apiVersion}, ${what}: ${requests} requests in ${(ms / 1000).toFixed(1)} s.`,
    '',
    table(heads, [row]),
    ...(left.length === 0 ? [] : ['']),
    ...left.map(({ path, reason }) => `Left at the broker: ${printable(path)}. ${printable(reason)}`),
    ...(stopped === undefined ? [] : [`\nThe run ended before its end. ${stopped}`]),
  ].join('\n');
}
