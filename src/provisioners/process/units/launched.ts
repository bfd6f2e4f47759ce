import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf } from '../../../system/error-code.ts';
import { type ProcessIdentity, isAlive, readIdentity } from '../../../system/process-identity.ts';
import type { InstanceDirectory } from '../../../node/instance-directory.ts';

/** A unit that was launched from this directory, whatever became of it. */
export interface Launched {
  readonly unit: string;
  readonly identity: ProcessIdentity;
}

/** Where it is written which process a unit is. */
export function identityFile({ state }: Pick<InstanceDirectory, 'state'>, unit: string): string {
  return join(state, `${prefix}${unit}.json`);
}

export function findLaunched(
  directory: Pick<InstanceDirectory, 'state'>,
  unit: string,
): Launched | undefined {
  const identity = readIdentity(identityFile(directory, unit));
  return identity && { unit, identity };
}

/** When a unit was last launched, in milliseconds since 1970; 0 when it never was. */
export function findLaunchTime(directory: Pick<InstanceDirectory, 'state'>, unit: string): number {
  return lstatSync(identityFile(directory, unit), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The live process of a unit; undefined when it has none. */
export function findLive(directory: InstanceDirectory, unit: string): Launched | undefined {
  const launched = findLaunched(directory, unit);
  return launched && isAlive(launched.identity) ? launched : undefined;
}

/** All that were launched from the directory, also units that its plan has no more. */
export function listLaunched(directory: Pick<InstanceDirectory, 'state'>): readonly Launched[] {
  return entriesOf(directory.state)
    .filter((name) => name.startsWith(prefix) && name.endsWith('.json'))
    .map((name) => findLaunched(directory, name.slice(prefix.length, -'.json'.length)))
    .filter((launched) => launched !== undefined);
}

const prefix = 'unit-';

function entriesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
