import type { JsonObject } from '../../broker/json.ts';
import type { Work } from '../../broker/provisioner.ts';
import { type InstanceContext, instanceContext, type NodeSettings } from '../../node/instance-context.ts';
import { findCertificate, tlsPaths } from './certificate.ts';
import { configOf, type ProcessConfig } from './config.ts';
import { programBehind } from '../../system/sandbox/inside.ts';
import { findConfigured } from './files/state.ts';
import { findLive, listLaunched } from './units/launched.ts';

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
  const config = configOf(work.plan);
  const { directory, roots } = context;
  const pids = () => livePids(context);
  if (work.plan.operating.tls !== true) return { ...context, config, pids };
  const tls = { ...tlsPaths(directory), ca_pem: findCertificate(directory)?.ca ?? '' };
  return { ...context, config, pids, roots: { ...roots, tls } };
}

/** As the machine numbers them: of the programs themselves, not of what a sandbox puts around them. */
function livePids({ directory, node }: InstanceContext): Readonly<Record<string, number>> {
  const live = listLaunched(directory).filter(({ unit }) => findLive(directory, unit));
  return Object.fromEntries(
    live.map(({ unit, identity }) => [unit, programBehind(identity.pid, node.sandbox)]),
  );
}
