/** The part of a load that may take seconds, in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import type { ProvisionerTraits } from '../broker/provisioner.ts';
import { readCatalog } from './load.ts';

interface Task {
  readonly directories: readonly string[];
  readonly traits: Readonly<Record<string, ProvisionerTraits>>;
}

const { directories, traits } = workerData as Task;
parentPort?.postMessage(await readCatalog(directories, traits));
