import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What the provisioner `faulty` has made: `<instance>` and `<instance>/<binding>`, for each file there is. */
export function thingsIn(dataDir: string): readonly string[] {
  return filesIn(dataDir)
    .filter((file) => /\/(?:instance|binding-[^/]*)\.json$/.test(file))
    .flatMap((file) => readIfThere(join(dataDir, file)))
    .map(({ instance, binding }) => (binding === undefined ? instance : `${instance}/${binding}`))
    .toSorted();
}

/** A directory below that is removed while all are read makes Node's own walk fail: it begins anew. */
function filesIn(directory: string): readonly string[] {
  while (existsSync(directory)) {
    try {
      return readdirSync(directory, { recursive: true, encoding: 'utf8' });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return [];
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
