import type { HashedLogin, Login } from '../protocol.ts';
import type { Page } from './index.ts';

interface MetricsParts {
  /** What has been counted so far. */
  readonly metricsPage: () => Promise<Page>;
  readonly platforms: readonly Login[];
  readonly operators: readonly Login[];
  readonly accounts: {
    /** Platforms and operators together. */
    all(): readonly HashedLogin[];
  };
}

/** Metrics, for all who have a login. */
export const metricsModule = {
  async create({ metricsPage, platforms, operators, accounts }: MetricsParts) {
    const { metrics } = await import('./index.ts');
    const logins = [...platforms, ...operators];
    return metrics(metricsPage, { logins: () => logins, accounts: () => accounts.all() });
  },
};
