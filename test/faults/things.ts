import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the provisioner `faulty` has made: `<instance>` and `<instance>/<binding>`, for each file there is. */
export function thingsIn(dataDir: string): readonly string[] {
  if (!existsSync(dataDir)) return [];
  return readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\/(?:instance|binding-[^/]*)\.json$/.test(file))
    .flatMap((file) => readIfThere(join(dataDir, file)))
    .map(({ instance, binding }) => (binding === undefined ? instance : `${instance}/${binding}`))
    .toSorted();
}

interface Thing {
  readonly instance: string;
  readonly binding?: string;
}

/** A broker may be removing it just now. */
function readIfThere(file: string): readonly Thing[] {
  try {
    return [JSON.parse(readFileSync(file, 'utf8')) as Thing];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
