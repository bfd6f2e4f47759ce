import type { Broker } from '../../broker/broker.ts';
import type { Seals } from '../../broker/context.ts';
import type { DashboardPage } from '../protocol.ts';

interface DashboardParts {
  readonly broker: Broker;
  readonly pages: readonly DashboardPage[];
  readonly seals: () => Seals;
  readonly url: () => string;
  readonly warn: (message: string) => void;
  readonly config: {
    readonly dashboardCloudController: string | undefined;
    readonly dashboardIssuer: string | undefined;
  };
}

/** The dashboards of instances, for people. */
export const dashboardModule = {
  async create({ broker, pages, seals, url, warn, config }: DashboardParts) {
    const { dashboardCloudController: cloudController, dashboardIssuer: issuer } = config;
    if (issuer !== undefined && cloudController === undefined)
      warn(
        'DASHBOARD_SSO_ISSUER has no effect: DASHBOARD_CLOUD_CONTROLLER, which says what its users may see, is not set.',
      );
    const { dashboards } = await import('./index.ts');
    return dashboards({
      pages,
      broker,
      seals: { seal: (...given) => seals().seal(...given), open: (...given) => seals().open(...given) },
      url,
      platform: cloudController === undefined ? undefined : { cloudController, issuer },
    });
  },
};
