import type { Broker } from '../../broker/broker.ts';
import type { AuthorityOffice } from '../../broker/nodes.ts';
import type { UpgradeOffice } from '../../broker/upgrades.ts';
import type { WebhookOffice } from '../../broker/webhooks.ts';
import type { FurtherLogins, Login } from '../protocol.ts';
import type { Count } from './content/overview.ts';

interface PagesParts {
  readonly broker: Broker;
  readonly authorities: AuthorityOffice;
  readonly upgrades: UpgradeOffice;
  readonly webhooks: WebhookOffice;
  readonly operators: readonly Login[];
  readonly accounts: {
    readonly operators: FurtherLogins;
    readonly areNamed: boolean;
  };
  readonly stock: Count;
  readonly url: () => string;
}

/** Pages for operators; undefined without a login for them. */
export const pagesModule = {
  async create({ broker, authorities, upgrades, webhooks, operators, accounts, stock, url }: PagesParts) {
    if (operators.length === 0 && !accounts.areNamed) return undefined;
    const [{ pages }, { operatorHandlers }] = await Promise.all([
      import('./index.ts'),
      import('../operator/index.ts'),
    ]);
    const on = operatorHandlers(broker, broker.overview, { authorities, upgrades, webhooks });
    return pages({ on, logins: operators, further: accounts.operators, stock, url });
  },
};
