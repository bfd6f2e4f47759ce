import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../../broker/json.ts';
import type { JsonObject } from '../../broker/json.ts';
import type { Work } from '../../broker/provisioner.ts';
import type { OperationKind } from '../../broker/records.ts';

/** What `faulty` makes: a folder for each instance with a file for the instance and for each binding. */
export interface Things {
  makeInstance(work: Work): Promise<void>;
  makeBinding(work: Work): Promise<void>;
  removeBinding(work: Work): Promise<void>;
  removeInstance(work: Work): Promise<void>;
  /** The ids of all instances of which anything is there. */
  instances(): Promise<readonly string[]>;
  /** Letters and digits that stand for the instance, fit for host names. */
  nameOf(instanceId: string): string;
  /** How often this operation has been tried, with this try. */
  countTry(kind: OperationKind, work: Work): Promise<number>;
  forgetTries(kind: OperationKind, work: Work): Promise<void>;
  /** Is this operation the first of its kind that asks, of its instance? */
  isFirst(kind: OperationKind, work: Work): Promise<boolean>;
}

export function thingsIn(directory: string): Things {
  const folderOf = ({ instance }: Work) => join(directory, shorten(instance.id));
  const put = (work: Work, name: string, thing: JsonObject) =>
    write(folderOf(work), name, { instance: work.instance.id, ...thing });
  return {
    makeInstance: (work) => put(work, 'instance.json', { plan: work.plan.id }),
    makeBinding: (work) => put(work, bindingFile(work), { binding: work.binding?.id ?? '' }),
    removeBinding: (work) => rm(join(folderOf(work), bindingFile(work)), { force: true }),
    removeInstance: (work) => rm(folderOf(work), { recursive: true, force: true, maxRetries: 3 }),
    instances: () => listInstances(directory),
    nameOf: (instanceId) => shorten(instanceId).slice(0, 12),
    async countTry(kind, work) {
      const before = await read(join(folderOf(work), triesFile(kind, work)));
      const tries = typeof before?.['tries'] === 'number' ? before['tries'] + 1 : 1;
      await put(work, triesFile(kind, work), { tries });
      return tries;
    },
    forgetTries: (kind, work) => rm(join(folderOf(work), triesFile(kind, work)), { force: true }),
    async isFirst(kind, work) {
      const first = await read(join(folderOf(work), `first-${kind}.json`));
      if (first) return first['operation'] === work.operationId;
      await put(work, `first-${kind}.json`, { operation: work.operationId });
      return true;
    },
  };
}

function bindingFile({ binding }: Work): string {
  return `binding-${shorten(binding?.id ?? '')}.json`;
}

function triesFile(kind: OperationKind, { operationId, binding }: Work): string {
  return `tries-${kind}-${shorten(`${operationId} ${binding?.id ?? ''}`)}.json`;
}

/** Ids are the platform's and may be anything, so no file is called after them. */
function shorten(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 32);
}

/** Written beside and renamed, so that no reader ever sees half a file. */
async function write(folder: string, name: string, thing: JsonObject): Promise<void> {
  await mkdir(folder, { recursive: true });
  const temporary = join(folder, `.${randomUUID()}`);
  await writeFile(temporary, JSON.stringify(thing));
  await rename(temporary, join(folder, name));
}

async function read(file: string): Promise<JsonObject | undefined> {
  const text = await unlessMissing(readFile(file, 'utf8'));
  const thing: unknown = text === undefined ? undefined : JSON.parse(text);
  return isObject(thing) ? thing : undefined;
}

async function listInstances(directory: string): Promise<readonly string[]> {
  const names = (await unlessMissing(readdir(directory, { recursive: true }))) ?? [];
  const files = names.filter((name) => name.endsWith('.json')).map((name) => read(join(directory, name)));
  const ids = (await Promise.all(files)).map((thing) => thing?.['instance']);
  return [...new Set(ids.filter((id) => typeof id === 'string'))].toSorted();
}

/** Undefined when the file or folder is not there, or is no longer there. */
async function unlessMissing<Found>(found: Promise<Found>): Promise<Found | undefined> {
  try {
    return await found;
  } catch (error) {
    if (isObject(error) && error['code'] === 'ENOENT') return undefined;
    throw error;
  }
}
