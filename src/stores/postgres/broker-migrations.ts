import { join } from 'node:path';
import type { MigrationSet } from '../../postgres/migrate.ts';

/** The tables of this store. */
export const brokerMigrations: MigrationSet = {
  name: 'broker',
  directory: join(import.meta.dirname, 'migrations'),
};
