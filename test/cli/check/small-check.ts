import { casesNamed } from '../../../src/cli/check/cases.ts';
import { checkBroker } from '../../../src/cli/check/check-broker.ts';
import type { ConformanceReport } from '../../../src/cli/check/report/report.ts';
import { smallLogin, startSmallBroker, type SmallBroker, type SmallOptions } from './small-broker.ts';

/** Looks at a small broker by all cases, and gives what it has left behind too. */
export async function checkSmall(
  options: SmallOptions,
  only: readonly string[] = [],
): Promise<{ readonly report: ConformanceReport; readonly broker: SmallBroker }> {
  const broker = await startSmallBroker(options);
  try {
    const report = await checkBroker({
      address: broker.url,
      login: smallLogin,
      apiVersion: '2.17',
      parameters: { size: 1 },
      otherParameters: { size: 2 },
      groups: casesNamed(only),
      mostRequests: 10_000,
      within: 600_000,
      operationWithin: 5000,
      answerWithin: 30_000,
      signal: new AbortController().signal,
      onResult: () => undefined,
    });
    return { report, broker };
  } finally {
    await broker.stop();
  }
}

/** What does not hold, as `PRV-08 failed`. */
export function shortcomingsIn({ cases }: ConformanceReport): readonly string[] {
  return cases
    .filter(({ verdict }) => verdict === 'failed' || verdict === 'warned')
    .map(({ id, verdict }) => `${id} ${verdict}`);
}
