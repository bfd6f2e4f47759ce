import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../../broker/json.ts';
import type { InstanceDirectory } from '../../../node/instance-directory.ts';
import { readMark, writeMark } from '../../../node/state-files.ts';
import type { Blueprint, UnitBlueprint } from './blueprint.ts';

/** What the instance is configured to be: what starting it launches, whatever its plan says by now. Holds secrets. */
export interface Configured {
  readonly mark: string;
  readonly units: Readonly<Record<string, UnitBlueprint>>;
  readonly ports: Readonly<Record<string, number>>;
  /** The names of the files that were written. */
  readonly files: readonly string[];
  /** The names of those that were written once. */
  readonly kept: readonly string[];
}

/** Undefined when it was never configured, or its configuring was broken off. */
export function findConfigured(directory: InstanceDirectory): Configured | undefined {
  return readMark(directory, name) as Configured | undefined;
}

/** @param after it counts as configured when this has come to pass, and never when it does not */
export async function saveConfigured(
  directory: InstanceDirectory,
  configured: Configured,
  after: Promise<unknown>,
): Promise<void> {
  await writeMark(directory, name, configured as unknown as JsonObject, after);
}

/** From now on it counts as not configured, until `saveConfigured`. */
export function forgetConfigured(directory: InstanceDirectory): void {
  rmSync(join(directory.state, `${name}.json`), { force: true });
}

/** Is it configured just as this, with nothing taken away? */
export function isConfigured(directory: InstanceDirectory, { mark }: Blueprint): boolean {
  const configured = findConfigured(directory);
  if (configured?.mark !== mark) return false;
  return [...configured.files, ...configured.kept].every((file) => existsSync(join(directory.conf, file)));
}

const name = 'configured';
