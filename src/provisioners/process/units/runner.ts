import type { Resource } from '../../../broker/provisioner.ts';
import type { UnitFacts } from '../../../broker/units.ts';
import type { InstanceContext, NodeSettings } from '../../../node/instance-context.ts';
import type { InstanceDirectory } from '../../../node/instance-directory.ts';
import type { LocalNode } from '../../../node/local-node.ts';
import type { Ran } from '../../../system/run-program.ts';
import type { UnitBlueprint } from '../files/blueprint.ts';

/**
 * What the programs of units run by. All else of an instance, its files, ports, order, readiness and hooks, is the same
 * whatever runs it. Which unit is whose is known by identity, never by port.
 */
export interface UnitRunner {
  /** The provisioner's name, and that of its directory below the node's. */
  readonly kind: string;
  /** The address that programs listen on, `{{node.bind}}`; absent: the node's. */
  readonly bind?: string;
  /** What keeps anybody from saying how the units are, as a clause. */
  findFault?(): Promise<string | undefined>;
  /** The units of which anything runs, also those that the plan has no more. */
  listLeft(context: InstanceContext, named?: readonly string[]): Promise<readonly string[]>;
  /** Has the unit a program that lives? */
  isLive(context: InstanceContext, unit: string): Promise<boolean>;
  /** What there is to say of a unit without asking it. */
  describe(context: InstanceContext, unit: string, blueprint?: UnitBlueprint): Promise<UnitDescription>;
  /**
   * Starts a unit unless it runs already. What its last program may have left behind is ended first.
   * @throws Failure when it cannot be started
   */
  launch(context: InstanceContext, unit: string, blueprint: UnitBlueprint): Promise<void>;
  /** Sends a signal to all that belongs to a unit; nothing happens when it does not run. */
  signal(context: InstanceContext, unit: string, signal: NodeJS.Signals): Promise<void>;
  /** Sends a signal to its program alone. @returns whether there was one */
  signalProgram(context: InstanceContext, unit: string, signal: NodeJS.Signals): Promise<boolean>;
  /** Runs a command as the program of a unit runs. Undefined when there is no such program. */
  run(
    context: InstanceContext,
    unit: string,
    blueprint: Pick<UnitBlueprint, 'cwd' | 'env'>,
    command: UnitCommand,
  ): Promise<Ran | undefined>;
  /**
   * The last lines that a unit wrote; empty when there are none.
   * @param own the log that the program writes itself, when the offering names one
   */
  tail(context: InstanceContext, unit: string, own: string | undefined, lines: number): Promise<string>;
  /** The processes of the units by unit, where hooks can see them. */
  pids?(context: InstanceContext): Readonly<Record<string, number>>;
  /** What the offering needs of this node, beside its ports. @throws Failure when it is not there */
  requireParts(context: InstanceContext): Promise<void>;
  /** Removes what is not in the directory of an instance, of which nothing runs any more. */
  remove?(context: InstanceContext): Promise<void>;
  /** What there is of instances that have no directory. */
  listElsewhere?(node: LocalNode, known: readonly Resource[]): Promise<readonly Resource[]>;
  /** Ends and removes all that runs from a directory, and all of its instance that is elsewhere. */
  purge(settings: NodeSettings, directory: InstanceDirectory, thing: Resource): Promise<void>;
}

/** `reason`: of what lives, what its limits keep it from; of what has ended, why. */
export type UnitDescription = Pick<UnitFacts, 'alive' | 'pid' | 'limited' | 'reason'>;

export interface UnitCommand {
  readonly command: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** A node, and what runs the units on it. */
export interface UnitSettings extends NodeSettings {
  readonly runner: UnitRunner;
}
