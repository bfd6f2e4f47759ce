import type { Login } from '../protocol.ts';
import type { Page } from './index.ts';

interface MetricsParts {
  /** What has been counted so far. */
  readonly metricsPage: () => Promise<Page>;
  readonly platforms: readonly Login[];
  readonly operators: readonly Login[];
}

/** Metrics, for all who have a login. */
export const metricsModule = {
  async create({ metricsPage, platforms, operators }: MetricsParts) {
    const { metrics } = await import('./index.ts');
    return metrics(metricsPage, [...platforms, ...operators]);
  },
};
