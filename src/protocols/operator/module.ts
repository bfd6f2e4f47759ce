import type { Broker } from '../../broker/broker.ts';
import type { Offices } from '../../broker/offices/index.ts';
import type { FurtherLogins, Login } from '../protocol.ts';

interface OperatorParts {
  readonly broker: Broker;
  readonly offices: Offices;
  readonly operators: readonly Login[];
  readonly accounts: {
    readonly operators: FurtherLogins;
    /** Are they named anywhere, also if there are none at the moment? */
    readonly areNamed: boolean;
  };
  readonly config: { readonly node: boolean; readonly nodeName: string };
}

/** The operator API; undefined without a login for it. */
export const operatorModule = {
  async create({ broker, offices, operators, accounts, config }: OperatorParts) {
    if (operators.length === 0 && !accounts.areNamed) return undefined;
    const { operator } = await import('./index.ts');
    const node = config.node ? config.nodeName : undefined;
    return operator(broker, broker.overview, {
      offices,
      logins: operators,
      further: accounts.operators,
      node,
    });
  },
};
