// What the model of a broker knows.
import type { Kind } from './offering.ts';

export interface Plan {
  readonly service_id: string;
  readonly plan_id: string;
  /** Of an offering that is on sale? */
  readonly known: boolean;
  /** Has the parameter size, of 1 to 10. */
  readonly sized: boolean;
  /** Asynchronous only, and nothing ends before time passes. */
  readonly slow: boolean;
  /** May its instances go to another plan? */
  readonly updateable: boolean;
  /** Makes files. */
  readonly makes: boolean;
  readonly fails?: Kind;
  /** Only the first time for each instance. */
  readonly failsFirst?: Kind;
}

/** A request; what it leaves open is as the instance has it. */
export interface Asked {
  readonly what: Kind | 'fetch' | 'fetch binding' | 'poll' | 'poll binding';
  readonly id: string;
  readonly binding: string;
  readonly plan?: Plan;
  readonly size?: number | undefined;
  readonly app: string;
  /** Accepts incomplete work. */
  readonly later: boolean;
}

export interface Open {
  readonly kind: Kind;
  readonly request: string;
  readonly end: () => void;
}

export interface Binding {
  readonly app: string;
  ready: boolean;
  open?: Open | undefined;
}

export interface Instance {
  plan: Plan;
  size: number | undefined;
  ready: boolean;
  open?: Open | undefined;
  readonly bindings: Map<string, Binding>;
  /** What fails the first time and has done so. */
  readonly failed: Set<Kind>;
  /** Plans that it had, or was to get. */
  readonly former: Set<Plan>;
}

export interface ModelState {
  readonly instances: Map<string, Instance>;
  /** The last operation of each instance, and of each binding as `instance/binding`. */
  readonly last: Map<string, Last>;
}

export interface Last {
  readonly kind: Kind;
  state: 'in progress' | 'succeeded' | 'failed';
  /** Only a poll tells that it has failed, and none has yet. */
  untold?: boolean;
}

export function newModel(): ModelState {
  return { instances: new Map(), last: new Map() };
}

/** Everything slow comes to its end. */
export function passTime({ instances }: ModelState): void {
  for (const instance of instances.values()) {
    for (const binding of instance.bindings.values()) binding.open?.end();
    instance.open?.end();
  }
}

/** What has been made when nothing is in progress, as `thingsIn` gives it. */
export function thingsOf({ instances }: ModelState): readonly string[] {
  const made = [...instances].filter(([, { plan, ready }]) => plan.makes && ready);
  return made
    .flatMap(([id, { bindings }]) => {
      const bound = [...bindings].filter(([, { ready }]) => ready);
      return [id, ...bound.map(([binding]) => `${id}/${binding}`)];
    })
    .toSorted();
}
