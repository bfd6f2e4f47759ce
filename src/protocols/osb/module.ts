import type { Broker } from '../../broker/broker.ts';

interface OsbParts {
  readonly broker: Broker;
  readonly config: { readonly acceptMissingVersion: boolean };
  readonly warn: (message: string) => void;
}

/** The Open Service Broker API, for platforms. */
export const osbModule = {
  async create({ broker, config, warn }: OsbParts) {
    const { osb } = await import('./index.ts');
    return osb(broker, { acceptMissingVersion: config.acceptMissingVersion, warn });
  },
};
