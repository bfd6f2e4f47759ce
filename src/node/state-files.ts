import { join } from 'node:path';
import type { JsonObject } from '../broker/json.ts';
import type { InstanceDirectory } from './instance-directory.ts';
import { notePrivately, readJson, writePrivately, writePrivatelySync } from '../system/private-file.ts';

/** Remembers something of an instance in its state directory, whole or not at all. */
export function writeMarkSync({ state }: InstanceDirectory, name: string, value: JsonObject): void {
  writePrivatelySync(join(state, `${name}.json`), JSON.stringify(value));
}

/**
 * The same; what else is to be done goes on while the disk is waited for.
 * @param after it is remembered when this has come to pass, and not before
 */
export async function writeMark(
  { state }: InstanceDirectory,
  name: string,
  value: JsonObject,
  after: Promise<unknown>,
): Promise<void> {
  await writePrivately(join(state, `${name}.json`), JSON.stringify(value), { after });
}

/** The same for what means nothing after the next start of the machine. */
export function writeNote({ state }: InstanceDirectory, name: string, value: JsonObject): void {
  notePrivately(join(state, `${name}.json`), JSON.stringify(value));
}

/** Undefined when nothing of this name was remembered. */
export function readMark({ state }: InstanceDirectory, name: string): JsonObject | undefined {
  return readJson(join(state, `${name}.json`)) as JsonObject | undefined;
}
