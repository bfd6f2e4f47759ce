import type { ConformanceReport, ReportedCase } from './report.ts';

/** A report as JUnit's XML, which every CI reads: a suite for each group; a warning is a test that passes and says so. */
export function junitOf({ broker, ms, cases }: ConformanceReport): string {
  const groups = Map.groupBy(cases, ({ group }) => group);
  const suites = [...groups].map(([group, own]) => suite(group, own));
  // The whole has no number of what was skipped: a Jenkins that checks the form would refuse the file.
  const { skipped: _, ...counts } = totals(cases);
  const all = { name: `Conformance of ${broker}`, ...counts, time: seconds(ms) };
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', all, suites.join(''))}\n`;
}

function suite(name: string, cases: readonly ReportedCase[]): string {
  const ms = cases.reduce((sum, one) => sum + one.ms, 0);
  return element('testsuite', { name, ...totals(cases), time: seconds(ms) }, cases.map(testCase).join(''));
}

function testCase({
  id,
  level,
  group,
  section,
  requirement,
  verdict,
  reason,
  ms,
  exchanges,
}: ReportedCase): string {
  const message = `${level}: ${reason ?? ''} (${section})`;
  const shown = JSON.stringify(exchanges, undefined, 1);
  const attributes = { name: `${id} ${requirement}`, classname: `osb.${group}`, time: seconds(ms) };
  if (verdict === 'failed')
    return element('testcase', attributes, element('failure', { message, type: level }, escaped(shown)));
  if (verdict === 'warned')
    return element('testcase', attributes, element('system-out', {}, escaped(message)));
  if (verdict === 'passed') return element('testcase', attributes);
  return element('testcase', attributes, element('skipped', { message: reason ?? verdict }));
}

function totals(cases: readonly ReportedCase[]) {
  const count = (...verdicts: readonly string[]) =>
    String(cases.filter(({ verdict }) => verdicts.includes(verdict)).length);
  return {
    tests: String(cases.length),
    failures: count('failed'),
    errors: '0',
    skipped: count('not applicable', 'not testable'),
  };
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function element(name: string, attributes: Readonly<Record<string, string>>, content = ''): string {
  const given = Object.entries(attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`);
  return `<${name}${given.join('')}>${content}</${name}>`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** XML knows no other control characters, and no halves of characters. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replace(/[^\P{Cc}\t\n\r]|[\uFFFE\uFFFF]/gu, '\uFFFD')
    .replace(/[&<>"]/g, (one) => entities[one] ?? one);
}
