import { join } from 'node:path';

/** The tables of the messages; they refer to those of the broker, so they are made after them. */
export const echoMigrations = { name: 'echo', directory: join(import.meta.dirname, 'migrations') };
