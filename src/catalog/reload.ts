import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { ServiceOffering } from '../broker/catalog.ts';
import type { ProvisionerTraits } from '../broker/provisioner.ts';
import { type CheckedFiles, compileInSlices, type LoadResult, type OfferingText } from './compile.ts';
import type { OfferingFile } from './form/offering-file.ts';

type Traits = Readonly<Record<string, ProvisionerTraits>>;

/**
 * As `loadCatalog`, for a broker that serves: files are read and judged in a thread, and the offerings made of them
 * in slices, so that requests wait for none of it longer than about 50 ms. An offering whose file says the same
 * as at the last load is left as it is. Rejects when the thread breaks.
 */
export function createReload(directories: readonly string[], traits: Traits): () => Promise<LoadResult> {
  let known: ReadonlyMap<string, ServiceOffering> = new Map();

  async function compileOne({ text, hookFiles }: OfferingText): Promise<readonly [string, ServiceOffering]> {
    const key = createHash('sha256')
      .update(JSON.stringify([text, hookFiles]))
      .digest('base64');
    const before = known.get(key);
    return [key, before ?? (await compileInSlices(JSON.parse(text) as OfferingFile, hookFiles, slices()))];
  }

  return async () => {
    const { texts, problems } = await readInThread(directories, traits);
    if (!texts) return { problems };
    const fresh = new Map<string, ServiceOffering>();
    for (const text of texts) {
      const [key, offering] = await compileOne(text);
      fresh.set(key, offering);
      await turn();
    }
    known = fresh;
    return { catalog: { offerings: [...fresh.values()], loadedAt: new Date() }, problems };
  };
}

/** Milliseconds of work after which others have their turn. */
const slice = 15;

/** Lets others have their turn whenever a slice is over. */
function slices(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < slice) return;
    await turn();
    since = performance.now();
  };
}

function readInThread(directories: readonly string[], traits: Traits): Promise<CheckedFiles> {
  return new Promise((resolve, reject) => {
    const workerData = { directories, traits };
    const worker = new Worker(new URL('./load-thread.ts', import.meta.url), { workerData });
    worker.on('message', resolve);
    worker.on('error', reject);
    worker.on('exit', (code) => reject(new Error(`the thread that reads it ended with code ${code}`)));
  });
}
