import { isObject, type Json, type JsonObject } from '../../broker/json.ts';
import type { Ports } from '../../broker/nodes.ts';
import type { Work } from '../../broker/provisioner.ts';
import { dirValues, hookContext, nodeValues } from '../../node/hooks/context.ts';
import { runHook, type HookResult } from '../../node/hooks/run.ts';
import { instanceDirectory, type InstanceDirectory } from '../../node/instance-directory.ts';
import type { LocalNode } from '../../node/local-node.ts';
import { limitOf, type TimedStep } from '../../node/step-limits.ts';

export interface CommandSettings {
  readonly node: LocalNode;
  readonly ports: Ports;
}

/** The directories of this provisioner below the node's. */
export const kind = 'command';

/** One instance at its place on this node. */
export interface Site extends CommandSettings {
  readonly work: Work;
  readonly directory: InstanceDirectory;
}

export function siteOf({ node, ports }: CommandSettings, work: Work): Site {
  return { node, ports, work, directory: instanceDirectory(node, kind, work.instance) };
}

/** What an operation has found out so far: `ports`, and `outputs` by hook. */
export type Told = Readonly<Partial<Record<'ports' | 'outputs', JsonObject>>>;

/** What credentials may use, and later work needs. */
export function factsOf({ node, directory, work }: Site, told: Told): JsonObject {
  const { ports, outputs } = toldBefore(work);
  return {
    node: nodeValues(node),
    dir: dirValues(directory),
    ports: told.ports ?? ports ?? objectIn(work.values['ports']),
    outputs: { ...objectIn(work.values['outputs']), ...outputs, ...told.outputs },
  };
}

/** By the operation that is being undone: what its hooks have made is removed by what they told of it. */
function toldBefore({ trace }: Work): Told {
  return objectIn(objectIn(trace)['told']) as Told;
}

export function hasHook({ plan }: Work, name: string): boolean {
  return Object.hasOwn(plan.operating.hooks, name);
}

/**
 * Runs the offering's hook; one that it does not have is a success without effect.
 * @param attempt 1, and one more for each time it was tried again
 * @param atMost milliseconds, whatever the hook says
 * @throws Failure when it failed
 */
export async function callHook(
  site: Site,
  name: TimedStep,
  told: Told,
  attempt: number,
  atMost?: number,
): Promise<HookResult> {
  const { node, work, directory } = site;
  const hook = work.plan.operating.hooks[name];
  if (!hook) return { outputs: {} };
  const values = { deps: {}, ...work.values, ...factsOf(site, told) };
  return runHook(node, {
    hook,
    name,
    instanceId: work.instance.id,
    directory,
    context: hookContext(work, values, name, attempt),
    values,
    ...limitFor(work, name),
    atMost,
    redact: work.redact,
    signal: work.signal,
  });
}

/** That of check_up is for coming up, not for one question. */
function limitFor({ plan }: Work, name: TimedStep): { limit?: number } {
  return name === 'check_up' ? {} : { limit: limitOf(plan.operating, name) };
}

export function objectIn(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {};
}
