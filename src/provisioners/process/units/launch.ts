import type { ResourceLimits } from '../../../broker/catalog.ts';
import { Failure } from '../../../broker/errors.ts';
import { isShortage } from '../../../system/error-code.ts';
import { endProcess, isAnyLeft } from '../../../system/end-process.ts';
import type { InstanceDirectory } from '../../../node/instance-directory.ts';
import { launch } from '../../../system/launch.ts';
import { applyLimits } from '../../../node/limits/change.ts';
import type { LocalNode } from '../../../node/local-node.ts';
import { findCertificate, noteLoaded } from '../certificate.ts';
import type { UnitBlueprint } from '../files/blueprint.ts';
import { leftAsItIs } from './end.ts';
import { limitOf } from '../../../node/step-limits.ts';
import { logFile, rotateLog } from './logs.ts';
import type { InstanceContext } from '../../../node/instance-context.ts';
import { findLaunched, findLive, identityFile } from './launched.ts';

/**
 * Starts a unit unless it runs already. What its last process may have left behind is ended first.
 * @throws Failure when its program cannot be started
 */
export async function launchUnit(
  context: InstanceContext,
  unit: string,
  { run, env, cwd, limits = {} }: UnitBlueprint,
): Promise<void> {
  const { node, directory, work } = context;
  const instanceId = work.instance.id;
  work.signal.throwIfAborted();
  if (findLive(directory, unit)) return;
  const before = findLaunched(directory, unit);
  if (before && work.sparing && isAnyLeft(before.identity, instanceId)) throw leftAsItIs(context);
  if (before) {
    const killMs = limitOf(work.plan.operating, 'halt');
    await endProcess(before.identity, { termMs: 1000, killMs, instanceId });
  }
  rotateLog(directory, unit);
  const host = limitHost(node, limits);
  const serial = findCertificate(directory)?.serial;
  await launch(host, {
    command: run,
    cwd: directory[cwd],
    env: environmentOf(node, directory, instanceId, unit, env),
    identityFile: identityFile(directory, unit),
    logFile: logFile(directory, unit),
  }).catch((error: unknown) => {
    // That passes: the step is taken again.
    if (isShortage(error)) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    throw new Failure('not-started', `The program ${run[0]} could not be started.`, { detail });
  });
  noteLoaded(context, [unit], serial);
}

/** With the limits that it is configured to have, whatever its plan says by now, and its group with them. */
function limitHost(node: LocalNode, amounts: ResourceLimits): LocalNode {
  if (!node.limits) return node;
  applyLimits(node, amounts);
  return { ...node, limits: { ...node.limits, amounts } };
}

/** All that a unit's programs have in their environment; nothing of the broker's own. */
export function environmentOf(
  { path }: LocalNode,
  { data }: InstanceDirectory,
  instanceId: string,
  unit: string,
  declared: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return {
    PATH: path,
    LANG: 'C.UTF-8',
    HOME: data,
    ...declared,
    PURVEYOR_INSTANCE: instanceId,
    PURVEYOR_UNIT: unit,
  };
}
