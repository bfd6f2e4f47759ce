import type { JsonObject } from '../../broker/json.ts';
import type { Work } from '../../broker/provisioner.ts';
import { nodeValues } from '../../node/hooks/context.ts';
import { type InstanceContext, instanceContext } from '../../node/instance-context.ts';
import { findCertificate, tlsPaths } from './certificate.ts';
import { configOf, type ProcessConfig } from './config.ts';
import { findConfigured } from './files/state.ts';
import type { UnitRunner, UnitSettings } from './units/runner.ts';

export interface ProcessContext extends InstanceContext {
  readonly config: ProcessConfig;
  readonly runner: UnitRunner;
}

/** @param kept what earlier steps of the operation have left to remember: `ports`, `outputs` */
export function contextOf(settings: UnitSettings, work: Work, kept: JsonObject = {}): ProcessContext {
  const { runner } = settings;
  const context = instanceContext(
    settings,
    runner.kind,
    work,
    [kept],
    (directory) => findConfigured(directory)?.ports,
  );
  const config = configOf(work.plan);
  const { directory } = context;
  const { bind = context.node.bind } = runner;
  const roots = { ...context.roots, node: { ...nodeValues(context.node), bind } };
  const pids = runner.pids && (() => runner.pids?.(context) ?? {});
  const own = { ...context, config, runner, pids, roots };
  if (work.plan.operating.tls !== true) return own;
  const tls = { ...tlsPaths(directory), ca_pem: findCertificate(directory)?.ca ?? '' };
  return { ...own, roots: { ...roots, tls } };
}
