import type { JsonObject } from '../../broker/json.ts';
import type { Work } from '../../broker/provisioner.ts';
import { type InstanceContext, instanceContext, type NodeSettings } from '../../node/instance-context.ts';
import { configOf, type ProcessConfig } from './config.ts';
import { findConfigured } from './files/state.ts';

/** The directories of this provisioner below the node's. */
export const kind = 'process';

export interface ProcessContext extends InstanceContext {
  readonly config: ProcessConfig;
}

/** @param kept what earlier steps of the operation have left to remember: `ports`, `outputs` */
export function contextOf(settings: NodeSettings, work: Work, kept: JsonObject = {}): ProcessContext {
  const context = instanceContext(
    settings,
    kind,
    work,
    [kept],
    (directory) => findConfigured(directory)?.ports,
  );
  return { ...context, config: configOf(work.plan.making) };
}
