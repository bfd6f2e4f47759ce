import { readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isObject } from '../../broker/json.ts';
import type { JsonObject } from '../../broker/json.ts';
import type { Query } from '../../postgres/query.ts';
import { sql } from '../../postgres/sql.ts';
import { codeOf } from '../../system/error-code.ts';
import { removeTree } from '../../system/remove-tree.ts';

/**
 * Takes what broker 0.1.0 kept of the trial into the table: a folder for each thing, with a file for each record. A
 * folder goes when all of it is in the table, so this may be done again after any end.
 * @param directory need not be there
 */
export async function carryOver(directory: string, query: Query): Promise<void> {
  const entries = await ifThere(readdir(directory, { withFileTypes: true }), []);
  const folders = entries.filter((entry) => entry.isDirectory() && isThing.test(entry.name));
  for (const { name } of folders) {
    await carryFolder(join(directory, name), name, query);
    await removeTree(join(directory, name));
  }
  // What else lies there is none of ours, and stays.
  if (folders.length > 0) await rmdir(directory).catch(() => undefined);
}

const isThing = /^[0-9a-f]{32}$/;

async function carryFolder(folder: string, thing: string, query: Query): Promise<void> {
  const files = (await ifThere(readdir(folder), [])).filter((file) => isRecord.test(file));
  for (const file of files) {
    const said = await readRecord(join(folder, file));
    const instance = said['instance'];
    if (typeof instance !== 'string') continue;
    await query(sql`
      insert into trial_records (
        thing, part, instance_id, instance_key, plan_id, binding_id, tries, operation_id)
      values (
        ${thing}, ${file.replace('.json', '')}, ${instance}, ${said['key']}, ${said['plan']},
        ${said['binding']}, ${said['tries']}, ${said['operation']})
      on conflict (thing, part) do nothing`);
  }
}

const isRecord = /^(?:instance|binding-[0-9a-f]+|tries-[a-z]+-[0-9a-f]+|first-[a-z]+)\.json$/;

/** Empty where the file is gone, or is none that was written here. */
async function readRecord(file: string): Promise<JsonObject> {
  try {
    const said: unknown = JSON.parse(await ifThere(readFile(file, 'utf8'), '{}'));
    return isObject(said) ? said : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** Another broker with the same directory may do the same at the same time. */
async function ifThere<Found>(found: Promise<Found>, otherwise: Found): Promise<Found> {
  try {
    return await found;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return otherwise;
    throw error;
  }
}
