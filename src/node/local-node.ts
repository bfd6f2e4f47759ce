import type { Isolation, UserRange } from '../broker/nodes.ts';
import type { Host } from '../system/account.ts';
import type { Bubblewrap } from '../system/sandbox/wrap.ts';
import type { DiskMeter } from '../system/limits/disk-meter.ts';
import type { LimitKeeper } from '../system/limits/keeper.ts';

/** What this broker is as a node: where local things are on this machine, and who runs them. */
export interface LocalNode extends Host {
  readonly name: string;
  /** Numbers of users of which each instance gets one; absent: they all run as `account`. */
  readonly users?: UserRange;
  /** The address under which applications reach what runs here. */
  readonly host: string;
  /** The address that programs listen on, `{{node.bind}}`. */
  readonly bind: string;
  /** All that is made here lies below it. */
  readonly directory: string;
  /** The catalog's directories: hooks lie there, as `hooks/<offering>/<file>`. */
  readonly catalogDirs: readonly string[];
  /** What keeps the programs of one instance from all else. */
  readonly isolation: Isolation;
  /** From which sandboxes of instances are made; absent: there are none. */
  readonly bubblewrap?: Bubblewrap | undefined;
  /** What of this machine keeps the limits of instances. */
  readonly keeper?: LimitKeeper;
  /** By which it is found how much of the disk instances take; absent: nobody measures. */
  readonly meter?: DiskMeter;
}
