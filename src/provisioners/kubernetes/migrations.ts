import { join } from 'node:path';

/** What the objects of this installation are known by. */
export const kubernetesMigrations = {
  name: 'kubernetes',
  directory: join(import.meta.dirname, 'migrations'),
};
