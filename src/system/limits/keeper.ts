import type { Amounts, Controller } from './amounts.ts';
import type { Groups } from './groups.ts';

/** By what a limit is kept; `rlimits` are kept for each process by itself. */
export type LimitWay = 'cgroup v2' | 'cgroup v1' | 'rlimits' | 'missing';

/** What this machine can keep of the limits of instances. */
export interface LimitKeeper {
  readonly ways: Readonly<Record<Controller, LimitWay>>;
  readonly groups?: Groups;
}

/** The limits of one instance, for everything that is started for it. */
export interface HostLimits {
  readonly keeper: LimitKeeper;
  /** Of its group; one for each instance of a node. */
  readonly group: string;
  readonly amounts: Amounts;
}
