import { join } from 'node:path';

/** The table of what the trial makes. */
export const faultyMigrations = { name: 'faulty', directory: join(import.meta.dirname, 'migrations') };
