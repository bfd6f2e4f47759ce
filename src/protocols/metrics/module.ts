import type { FurtherLogins, Login } from '../protocol.ts';
import type { Page } from './index.ts';

interface MetricsParts {
  /** What has been counted so far. */
  readonly metricsPage: () => Promise<Page>;
  readonly platforms: readonly Login[];
  readonly operators: readonly Login[];
  readonly accounts: {
    /** Of operators and of the default platform: the page tells of everybody's instances. */
    readonly overseers: FurtherLogins;
  };
}

/** Metrics, for all who have a login that is not of one platform among others. */
export const metricsModule = {
  async create({ metricsPage, platforms, operators, accounts }: MetricsParts) {
    const { metrics } = await import('./index.ts');
    const logins = [...platforms, ...operators];
    return metrics(metricsPage, { logins: () => logins, ...accounts.overseers });
  },
};
