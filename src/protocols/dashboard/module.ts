import type { Broker } from '../../broker/broker.ts';
import type { DashboardPage } from '../protocol.ts';

interface DashboardParts {
  readonly broker: Broker;
  readonly pages: readonly DashboardPage[];
}

/** The dashboards of instances, for people. */
export const dashboardModule = {
  async create({ broker, pages }: DashboardParts) {
    const { dashboards } = await import('./index.ts');
    return dashboards({ pages, find: (instanceId) => broker.dashboard(instanceId) });
  },
};
