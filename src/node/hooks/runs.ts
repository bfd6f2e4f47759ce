import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { endProcess } from '../../system/end-process.ts';
import { codeOf, isFull } from '../../system/error-code.ts';
import { asIdentity, type ProcessIdentity, identityOf, isAlive } from '../../system/process-identity.ts';
import type { InstanceDirectory } from '../instance-directory.ts';
import { readMark, writeNote } from '../state-files.ts';

/** Notes of hooks that run now, each with the broker that waits for it. */
export interface RunRecord {
  readonly begin: (hook: ProcessIdentity) => void;
  readonly end: () => void;
}

/**
 * Gets ready to note the run of a hook; what a dead broker has left running of this instance is ended first. On a full
 * disk what takes something away, or only asks, runs without a note: else nothing could be removed that fills it.
 */
export async function recordRun(
  directory: InstanceDirectory,
  name: string,
  instanceId: string,
): Promise<RunRecord> {
  await endLeftHooks(directory, instanceId);
  const mark = `${prefix}${name}-${randomUUID()}`;
  const broker = identityOf(process.pid);
  return {
    begin(hook) {
      try {
        writeNote(directory, mark, { hook: { ...hook }, broker: { ...broker } });
      } catch (error) {
        if (makes(name) || !isFull(error)) throw error;
      }
    },
    end: () => rmSync(join(directory.state, `${mark}.json`), { force: true }),
  };
}

/** Ends the hooks of an instance whose broker has died. Those that this broker runs go on. */
export async function endLeftHooks(directory: InstanceDirectory, instanceId: string): Promise<void> {
  for (const file of runsIn(directory)) {
    const run = readMark(directory, file.slice(0, -'.json'.length));
    const broker = asIdentity(run?.['broker']);
    if (broker && isAlive(broker)) continue;
    const hook = asIdentity(run?.['hook']);
    if (hook) await endProcess(hook, { termMs: 2000, killMs: 2000, instanceId });
    rmSync(join(directory.state, file), { force: true });
  }
}

const making = ['init', 'prepare', 'configure', 'start', 'once_ready', 'update', 'bind', 'restore', 'exec'];

function makes(name: string): boolean {
  return making.includes(name);
}

const prefix = 'runs-';

function runsIn({ state }: InstanceDirectory): readonly string[] {
  try {
    return readdirSync(state).filter((name) => name.startsWith(prefix) && name.endsWith('.json'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
