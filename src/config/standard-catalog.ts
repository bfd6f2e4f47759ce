import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The catalog of whoever has one, below the directory that the program is started in. */
export const ownCatalog = 'catalog';

/** What is sold where nobody has said it: the own catalog, else what comes with the program. */
export function standardCatalog(): readonly string[] {
  return [existsSync(ownCatalog) ? ownCatalog : join(import.meta.dirname, '..', '..', 'catalog')];
}
