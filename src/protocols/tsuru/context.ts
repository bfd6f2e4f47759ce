import type { Broker } from '../../broker/broker.ts';
import { Refusal } from '../../broker/errors.ts';
import type { InstanceEntry, OperatorView } from '../../broker/operator-view.ts';
import type { Call } from '../protocol.ts';
import type { Apps } from './apps/apps.ts';
import { findInstanceId } from './names.ts';

/** What the endpoints of this protocol have to do with. */
export interface TsuruContext {
  readonly broker: Broker;
  readonly overview: Pick<OperatorView, 'instances' | 'plan'>;
  /** Throws Refusal unavailable until they are there. */
  readonly apps: () => Apps;
  /** Milliseconds that a request waits for the end of what it asked for. */
  readonly patience: number;
  /** The broker's own address, as platforms know it. */
  readonly url: () => string;
  /** Hears of what went wrong beside a request. */
  readonly warn: (message: string) => void;
}

/** The instance of the path as the broker knows it, also when it is not finished, or has failed. */
export async function findEntry({ overview }: TsuruContext, call: Call): Promise<InstanceEntry | undefined> {
  const instanceId = findInstanceId(call);
  if (instanceId === undefined) return undefined;
  const [entry] = await overview.instances({ instanceId, limit: 1 });
  return entry?.state === 'deleted' ? undefined : entry;
}

/** Refuses with not-found. */
export async function requireEntry(tsuru: TsuruContext, call: Call): Promise<InstanceEntry> {
  const entry = await findEntry(tsuru, call);
  if (entry) return entry;
  throw new Refusal('not-found', `There is no instance '${(call.params['name'] ?? '').slice(0, 100)}'.`);
}
