import type { Store } from '../../broker/store.ts';
import type { Pool } from 'pg';
import { echoMigrations } from './migrations.ts';
import { traits } from './traits.ts';

interface EchoParts {
  /** Both throw Refusal unavailable until they are there. */
  readonly store: () => Store;
  readonly database: () => Pool;
}

/** The echo and invert services: they keep messages in tables of their own, and applications speak to them. */
export const echoModule = {
  name: 'echo',
  traits,
  migrations: echoMigrations,
  async create() {
    const { echo } = await import('./index.ts');
    return echo();
  },
  page: {
    async create({ store, database }: EchoParts) {
      const { postgresMessages } = await import('./messages.ts');
      const { echoPage } = await import('./service.ts');
      return echoPage({ store, messages: () => postgresMessages(database()) });
    },
  },
  protocol: {
    async create({ store, database }: EchoParts) {
      const { postgresMessages } = await import('./messages.ts');
      const { echoService } = await import('./service.ts');
      return echoService({ store, messages: () => postgresMessages(database()) });
    },
  },
};
