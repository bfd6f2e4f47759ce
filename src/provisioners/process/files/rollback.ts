import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../../broker/json.ts';
import type { InstanceDirectory } from '../../../node/instance-directory.ts';
import type { LocalNode } from '../../../node/local-node.ts';
import { readMark, writeMarkSync } from '../../../node/state-files.ts';
import type { FileBlueprint } from './blueprint.ts';
import { readFiles, removeFiles, writeFiles } from './write.ts';
import { type Configured, findConfigured, forgetConfigured, saveConfigured } from './state.ts';

/** The configuration before an update, until the update has done its work. */
export interface Previous {
  readonly configured: Configured;
  readonly files: Readonly<Record<string, FileBlueprint>>;
}

/**
 * Puts the configuration aside. One that an update has left there, which was broken off, stays: it is the last
 * one known to have worked.
 */
export function keepPrevious(node: LocalNode, directory: InstanceDirectory): void {
  const configured = findConfigured(directory);
  if (findPrevious(directory) || !configured) return;
  const files = readFiles(node, directory.conf, configured.files);
  writeMarkSync(directory, name, { configured, files } as unknown as JsonObject);
}

export function findPrevious(directory: InstanceDirectory): Previous | undefined {
  return readMark(directory, name) as Previous | undefined;
}

/** Puts the configuration back as it was, with whatever had been written into its files. */
export async function putBack(
  node: LocalNode,
  directory: InstanceDirectory,
  previous: Previous,
): Promise<void> {
  const now = findConfigured(directory)?.files ?? [];
  forgetConfigured(directory);
  removeFiles(
    directory.conf,
    now.filter((file) => !previous.configured.files.includes(file)),
  );
  await saveConfigured(directory, previous.configured, writeFiles(node, directory.conf, previous.files));
}

export function forgetPrevious({ state }: InstanceDirectory): void {
  rmSync(join(state, `${name}.json`), { force: true });
}

const name = 'previous';
