import type { JsonObject } from '../../broker/json.ts';
import type { Work } from '../../broker/provisioner.ts';
import { type InstanceContext, instanceContext, type NodeSettings } from '../../node/instance-context.ts';
import { keptIn } from '../../node/step-sequence.ts';

/** The directories of this provisioner below the node's. */
export const kind = 'command';

/** What hooks of a broken attempt have made is removed by what they put out. */
export function contextOf(settings: NodeSettings, work: Work, kept: JsonObject = {}): InstanceContext {
  return instanceContext(settings, kind, work, [keptIn(work.trace), kept]);
}
