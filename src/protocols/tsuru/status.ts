import { lostSentence } from '../../broker/state.ts';
import type { Broker } from '../../broker/broker.ts';
import type { InstanceEntry } from '../../broker/operator-view.ts';
import type { InstanceStatus } from '../../broker/broker.ts';
import type { UnitSeen } from '../../broker/units.ts';
import type { Call, Reply } from '../protocol.ts';
import { emptyReply, textReply } from './replies.ts';
import { requireEntry, type TsuruContext } from './context.ts';

/** 204: up, 202: pending, 500: down, with the reason. */
export async function status(tsuru: TsuruContext, call: Call): Promise<Reply> {
  const entry = await requireEntry(tsuru, call);
  switch (entry.state) {
    case 'provisioning':
    case 'updating':
    case 'deprovisioning':
    case 'starting':
    case 'stopping':
    case 'restarting':
    case 'restoring':
    case 'adopting':
    case 'absent':
    case 'deleted':
      return textReply(202, entry.operation?.note ?? `It is ${entry.state}.`);
    case 'lost':
      return textReply(500, lostSentence);
    case 'failed':
      return textReply(500, await whyFailed(tsuru.broker, entry));
    case 'ready':
    case 'backing-up':
    case 'acting':
      return statusReply(await tsuru.broker.status(entry.instance.id));
  }
}

async function whyFailed(broker: Broker, { instance, status: { reason } }: InstanceEntry): Promise<string> {
  const found = await broker.lastOperation({ instanceId: instance.id });
  const sentence = typeof found === 'object' ? found.operation.failure?.sentence : undefined;
  return sentence ?? `The instance cannot be used: ${reason}.`;
}

function statusReply(status: InstanceStatus): Reply {
  if (status.status === 'building') return textReply(202, `${status.reason}.`);
  const wrong = status.units.filter((unit) => !isUp(unit));
  if (wrong.length === 0) return emptyReply(204);
  return textReply(500, wrong.map(describeUnit).join('\n'));
}

/** What has no address, such as a worker, is never reachable, and not down for that. */
function isUp(unit: UnitSeen): boolean {
  return unit.status === 'started' || (unit.status === 'unreachable' && unit.address === undefined);
}

function describeUnit({ unit, status, reason }: UnitSeen): string {
  return `${unit} is ${status}: ${reason}.`;
}
