import type { Broker } from '../../broker/broker.ts';
import type { Offices } from '../../broker/offices/index.ts';
import type { FurtherLogins, Login } from '../protocol.ts';
import type { Count } from './content/overview.ts';

interface PagesParts {
  readonly broker: Broker;
  readonly offices: Offices;
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
  async create({ broker, offices, operators, accounts, stock, url }: PagesParts) {
    if (operators.length === 0 && !accounts.areNamed) return undefined;
    const [{ pages }, { operatorHandlers }] = await Promise.all([
      import('./index.ts'),
      import('../operator/index.ts'),
    ]);
    const on = operatorHandlers(broker, broker.overview, { offices });
    return pages({ on, logins: operators, further: accounts.operators, stock, url });
  },
};
