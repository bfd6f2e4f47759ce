import { join } from 'node:path';
import type { Pool } from 'pg';
import { faultyMigrations } from './migrations.ts';
import { traits } from './traits.ts';

interface FaultyParts {
  readonly config: { readonly dataDir: string };
  readonly database: { readonly pool: Pool };
}

/** What fails as a plan says; it makes its things in a table of its own. */
export const faultyModule = {
  name: 'faulty',
  traits,
  migrations: faultyMigrations,
  async create({ config, database }: FaultyParts) {
    const { faulty } = await import('./index.ts');
    return faulty(database.pool, join(config.dataDir, 'trial'));
  },
};
