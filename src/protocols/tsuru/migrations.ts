import { join } from 'node:path';

/** The tables of apps and units; they refer to those of the broker, so they are made after them. */
export const tsuruMigrations = { name: 'tsuru', directory: join(import.meta.dirname, 'migrations') };
