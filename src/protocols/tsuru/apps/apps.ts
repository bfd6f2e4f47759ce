/**
 * Which apps are bound, and for which of their units: tsuru says each only once, and the last one that goes matters.
 * Those of an instance come and go one after the other. Who has hung up by its turn is refused as unavailable: what it
 * asks next has its turn later, and is not to be overtaken by this.
 */
export interface Apps {
  /**
   * Writes down that somebody is about to be bound, before it is: the app's one binding from now on stays as long as
   * there is a stake in it.
   * @param host of the unit; absent: the app as a whole
   * @param withinMs the bind is answered by then, or the stake does not count any more
   * @throws Refusal not-found when the instance is gone
   */
  arrive(asked: AskedOf, app: App, host: string | undefined, withinMs: number): Promise<Stake>;
  /** The bind has succeeded; false when the app was unbound meanwhile. */
  confirm(stake: Stake): Promise<boolean>;
  /** The bind has failed. Gives whether the binding is to be removed. */
  withdraw(stake: Stake): Promise<boolean>;
  /**
   * A unit of an app goes, or the app with all its units.
   * @returns bindings to be removed, none when there are other stakes or no such unit; undefined: no such app was known
   */
  leave(asked: AskedOf, app: App, host: string | undefined): Promise<readonly string[] | undefined>;
  /** A unit goes of which only the host is told. Gives the same as `leave`. */
  depart(asked: AskedOf, host: string): Promise<readonly string[] | undefined>;
  /** The binding has been removed; it is known as one to be removed as long as a bind of it goes on. */
  forget(instanceId: string, bindingId: string): Promise<void>;
  /** Names, or else hosts, of the apps and jobs that are bound; of one kind, when it is named. */
  bound(instanceId: string, kind?: App['kind']): Promise<readonly string[]>;
  /** Bindings that should have been removed long ago, and bindings of nobody. */
  abandoned(): Promise<readonly Pick<Stake, 'instanceId' | 'bindingId'>[]>;
}

/** Of which instance, and whether whoever asks has hung up by now. */
export interface AskedOf {
  readonly instanceId: string;
  readonly isGone?: (() => boolean) | undefined;
}

export interface App {
  readonly kind: 'app' | 'job';
  /** At least one of both. */
  readonly name?: string;
  readonly host?: string;
}

export interface Stake {
  readonly number: string;
  readonly instanceId: string;
  readonly bindingId: string;
  /** The app as it was first told. */
  readonly knownAs: string;
}
