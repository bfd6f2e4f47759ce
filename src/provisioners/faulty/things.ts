import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject, jsonOf } from '../../broker/json.ts';
import type { JsonObject } from '../../broker/json.ts';
import type { Resource, Work } from '../../broker/provisioner.ts';
import type { OperationKind, ServiceInstance } from '../../broker/records.ts';
import { makeDirectory } from '../../system/make-directory.ts';

/** What `faulty` makes: a folder for each instance with a file for the instance and for each binding. */
export interface Things {
  makeInstance(work: Work): Promise<void>;
  makeBinding(work: Work): Promise<void>;
  removeBinding(work: Work): Promise<void>;
  removeInstance(work: Work): Promise<void>;
  /** All folders, with the ids of the instances that they are for. */
  list(): Promise<readonly Resource[]>;
  purge(thing: Resource): Promise<void>;
  /** Letters and digits that stand for the instance, fit for host names. */
  nameOf(instance: ServiceInstance): string;
  /** How often this operation has been tried, with this try. */
  countTry(kind: OperationKind, work: Work): Promise<number>;
  forgetTries(kind: OperationKind, work: Work): Promise<void>;
  /** Is this operation the first of its kind that asks, of its instance? */
  isFirst(kind: OperationKind, work: Work): Promise<boolean>;
}

export function thingsIn(directory: string): Things {
  const folderOf = ({ instance }: Work) => join(directory, folderName(instance));
  const put = (work: Work, name: string, thing: JsonObject) =>
    write(folderOf(work), name, { ...ownerOf(work.instance), ...thing });
  return {
    makeInstance: (work) => put(work, 'instance.json', { plan: work.plan.id }),
    makeBinding: (work) => put(work, bindingFile(work), { binding: work.binding?.id ?? '' }),
    removeBinding: (work) => rm(join(folderOf(work), bindingFile(work)), { force: true }),
    removeInstance: (work) => rm(folderOf(work), { recursive: true, force: true, maxRetries: 3 }),
    list: () => listFolders(directory),
    async purge({ name }) {
      const folders = await foldersIn(directory);
      const found = folders.find((folder) => nameOfFolder(folder) === name);
      if (found) await rm(join(directory, found), { recursive: true, force: true, maxRetries: 3 });
    },
    nameOf: (instance) => folderName(instance).slice(0, 12),
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
  return `binding-${shorten(binding?.key ?? binding?.id ?? '')}.json`;
}

function triesFile(kind: OperationKind, { operationId, binding }: Work): string {
  return `tries-${kind}-${shorten(`${operationId} ${binding?.id ?? ''}`)}.json`;
}

/** Of one life of the id; broker 0.1.0 went by the id alone. */
function folderName({ id, key }: ServiceInstance): string {
  return shorten(key ?? id);
}

function ownerOf({ id, key }: ServiceInstance): JsonObject {
  return jsonOf({ instance: id, key });
}

/** Ids are the platform's and may be anything, so no file is called after them. */
function shorten(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 32);
}

/** Written beside and renamed, so that no reader ever sees half a file. */
async function write(folder: string, name: string, thing: JsonObject): Promise<void> {
  makeDirectory(folder);
  const temporary = join(folder, `.${randomUUID()}`);
  await writeFile(temporary, JSON.stringify(thing));
  await rename(temporary, join(folder, name));
}

async function read(file: string): Promise<JsonObject | undefined> {
  const text = await unlessMissing(readFile(file, 'utf8'));
  const thing: unknown = text === undefined ? undefined : JSON.parse(text);
  return isObject(thing) ? thing : undefined;
}

async function listFolders(directory: string): Promise<readonly Resource[]> {
  const folders = await foldersIn(directory);
  return Promise.all(
    folders.map(async (folder) => {
      const name = nameOfFolder(folder);
      return { name, ...(await findOwner(join(directory, folder))) };
    }),
  );
}

async function foldersIn(directory: string): Promise<readonly string[]> {
  const entries = (await unlessMissing(readdir(directory, { withFileTypes: true }))) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

function nameOfFolder(folder: string): string {
  return `folder ${folder}`;
}

/** Any of its files says whose it is. */
async function findOwner(folder: string): Promise<Pick<Resource, 'instanceId' | 'key'>> {
  const names = (await unlessMissing(readdir(folder))) ?? [];
  for (const name of names.filter((one) => one.endsWith('.json'))) {
    const { instance, key } = (await read(join(folder, name))) ?? {};
    if (typeof instance === 'string')
      return { instanceId: instance, key: typeof key === 'string' ? key : undefined };
  }
  return {};
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
