import { casesNamed } from '../../../src/cli/check/cases.ts';
import { checkBroker, type BrokerCheck } from '../../../src/cli/check/check-broker.ts';
import type { ConformanceReport } from '../../../src/cli/check/report/report.ts';
import { smallLogin, startSmallBroker, type SmallBroker, type SmallOptions } from './small-broker.ts';

type Given = Pick<BrokerCheck, 'address'> & Partial<BrokerCheck>;

/** Looks at a broker that knows the login of the small one, by all cases unless others are named. */
export function checkAt(given: Given): Promise<ConformanceReport> {
  return checkBroker({
    login: smallLogin,
    apiVersion: '2.17',
    groups: casesNamed([]),
    mostRequests: 10_000,
    atOnce: 8,
    within: 600_000,
    operationWithin: 60_000,
    answerWithin: 30_000,
    signal: new AbortController().signal,
    onResult: () => undefined,
    ...given,
  });
}

/** Looks at a small broker, and gives what it has left behind too. */
export async function checkSmall(
  options: SmallOptions,
  only: readonly string[] = [],
  given: Partial<BrokerCheck> = {},
): Promise<{ readonly report: ConformanceReport; readonly broker: SmallBroker }> {
  const broker = await startSmallBroker(options);
  try {
    const report = await checkAt({
      address: broker.url,
      parameters: { size: 1 },
      otherParameters: { size: 2 },
      groups: casesNamed(only),
      ...given,
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
