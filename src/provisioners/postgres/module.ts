import type { ServerSettings } from './settings.ts';
import { traits } from './traits.ts';

/** Databases on shared Postgres servers. */
export const postgresModule = {
  name: 'postgres',
  traits,
  async create({ config, database }: ServerSettings) {
    const { postgresDatabases } = await import('./index.ts');
    const { databasesOf } = await import('./settings.ts');
    return postgresDatabases(databasesOf({ config, database }));
  },
};
