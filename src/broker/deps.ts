import type { Catalog, ServicePlan } from './catalog.ts';
import type { BrokerEvent } from './events.ts';
import type { JsonObject } from './json.ts';
import type { Provisioner } from './provisioner.ts';
import type { Store } from './store.ts';

/** All that the core needs of the world; tests hand in real, small implementations. */
export interface Deps {
  readonly store: Store;
  readonly catalog: () => Catalog;
  /** Builds a plan again from the definition of a stored revision. */
  readonly revive: (definition: JsonObject) => ServicePlan;
  /** By name; throws an Error that lists the known names. */
  readonly provisioner: (name: string) => Provisioner;
  readonly observe: (event: BrokerEvent) => void;
  readonly newId: () => string;
  /** Random letters and digits. */
  readonly newSecret: (length: number) => string;
  readonly now: () => Date;
  readonly settings: Settings;
}

export interface Settings {
  /** The broker's own address, `{{broker.url}}` in templates. */
  readonly url: string;
  /** This process, as leases name it. */
  readonly holder: string;
  /** Milliseconds a request that accepts incomplete work waits for it all the same. */
  readonly asyncPatience: number;
  /** Milliseconds a request that wants the end of the work waits for it. */
  readonly syncPatience: number;
  /** Milliseconds an operation is held before another broker may take it. */
  readonly lease: number;
  /** Milliseconds that ended operations are remembered. */
  readonly retention: number;
}
