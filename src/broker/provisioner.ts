import type { Readable, Writable } from 'node:stream';
import type { ServicePlan } from './catalog.ts';
import type { Json, JsonObject } from './json.ts';
import type { ServiceBinding, ServiceInstance, StoredBytes } from './records.ts';
import type { Executed, Execution, LogQuery, Sparing, UnitFacts, UnitLog } from './units.ts';

/**
 * One way of making things. Every method must converge when it is called twice for the same work: a process
 * may die between the deed and its record, and another one then repeats the step. Optional methods are
 * capabilities: without `update` a plan cannot be changed.
 */
export interface Provisioner {
  readonly name: string;
  readonly traits: ProvisionerTraits;
  provision(work: Work): Promise<Step<Made>>;
  deprovision(work: Work): Promise<Step<void>>;
  update?(work: Work): Promise<Step<Made>>;
  bind?(work: Work): Promise<Step<Made>>;
  unbind?(work: Work): Promise<Step<void>>;
  /** What of an instance runs, for those who watch and operate it. */
  readonly units?: UnitControl;
  /** How what an instance holds is saved and put back. */
  readonly backups?: BackupControl;
  /**
   * Makes an instance of what is there already, `work.adopts`, and changes of it no more than makes it ours. It touches
   * nothing that another instance has.
   */
  adopt?(work: Work): Promise<Step<Made>>;
  /** Does what an operator has asked for of what the offering declares. */
  act?(work: Work): Promise<Step<Made>>;
  /** What really exists here, for the orphan report: with `local`, on this node. */
  inventory?(): Promise<readonly Resource[]>;
  /** Removes what `inventory` has listed and no instance stands for. Converges as well. */
  purge?(thing: Resource): Promise<void>;
  /** Why instances of this plan could not be made by this broker, as a clause; undefined when they can. */
  obstacle?(plan: ServicePlan): string | undefined;
  /**
   * What keeps instances of this plan from being made on this broker's node, as sentences for its operator. The plan
   * stays on sale, since other nodes may do. Asked of nodes only, when they start and when the catalog changes; what takes
   * time keeps nobody waiting.
   */
  concerns?(plan: ServicePlan): readonly string[] | Promise<readonly string[]>;
  /** Lets go of what it has open, such as connections; it is not asked for anything afterwards. */
  close?(): Promise<void>;
}

/** What can be looked through for things that no instance stands for. */
export type Inventory = Pick<Provisioner, 'name' | 'inventory' | 'purge'> & {
  readonly traits: Pick<ProvisionerTraits, 'local'>;
};

/** What a provisioner lets people do with what runs; what is absent its instances cannot do. */
export interface UnitControl {
  /**
   * How the units are now, each of them, whatever its state. Ends within a few seconds even when one never answers.
   */
  inspect(work: Work): Promise<readonly UnitFacts[]>;
  start?(work: Work): Promise<Step<void>>;
  stop?(work: Work): Promise<Step<void>>;
  /** With `work.sparing` only what is dead, or named there, is touched. */
  restart?(work: Work): Promise<Step<void>>;
  /** Runs a command in the surroundings of one unit or of every unit. */
  exec?(work: Work, execution: Execution): Promise<readonly Executed[]>;
  /** The last lines that a unit wrote. */
  log?(work: Work, query: LogQuery): Promise<readonly UnitLog[]>;
}

/** With what they are encrypted with, where they are. */
export type SavedBytes = StoredBytes & { readonly key?: string };

/** What a step of a backup or restore is given. */
export interface Archive {
  /** @param fill as that of `BackupStorage.write` */
  save(fill: (to: Writable) => Promise<void>): Promise<SavedBytes>;
  /** Gives the bytes once it is certain that they are those that were saved. @throws Failure 'damaged' or 'gone' */
  load(read: (from: Readable) => Promise<void>): Promise<void>;
}

/** Each with the archive of the work. */
export interface BackupControl {
  /** Can it, for an instance of this plan? */
  can(plan: ServicePlan, deed: 'backup' | 'restore'): boolean;
  /** Saves what the instance holds, without what belongs to its bindings: users, passwords, rights. */
  backup(work: Work): Promise<Step<Made>>;
  /** Puts it back, in place of what is there. Bindings stay as they are. */
  restore(work: Work): Promise<Step<void>>;
}

/** Something that a provisioner found: it says which instance it is for by its id, or by its key alone. */
export interface Resource {
  /** For people, and unique within the provisioner and node: `database p_3fa2...`. */
  readonly name: string;
  readonly instanceId?: string;
  /** That of one life of an instance (`instanceKey`). Where it is told, it alone says whose the thing is. */
  readonly key?: string;
}

/** What an offering file that names this provisioner may say; checked when the catalog is loaded. */
export interface ProvisionerTraits {
  /** JSON Schema (draft 7) of `config:`. */
  readonly config: JsonObject;
  /** What the keys of `config` mean, by their paths (`config.processes.<name>.run`), for editors and the guide. */
  readonly meanings?: Readonly<Record<string, string>>;
  /** JSON Schema (draft 7) of a plan's `with:`, when the provisioner itself reads it. */
  readonly settings?: JsonObject;
  /** Do its instances run programs on a node, so that somebody may be inside of one? */
  readonly runsPrograms?: boolean;
  /** Template roots its facts provide, beside the core's own. */
  readonly roots: readonly string[];
  /** Of the roots whose members are always the same, their names: `{ node: ['host', 'bind'] }`. */
  readonly members?: Readonly<Record<string, readonly string[]>>;
  /** Those of the roots that only a binding has: no place of the instance can use them. */
  readonly rootsOfBindings?: readonly string[];
  /** Places below `config`, such as `bind`, that are filled for one binding, with its id and secrets. */
  readonly perBinding?: readonly string[];
  /** Of the roots whose members an offering file names itself, where it does that. */
  readonly declared?: Readonly<Record<string, DeclaredRoot>>;
  /**
   * Places below `config` whose members are made one after another, those first that templates of others mention or
   * that they name in `after`; first the place of the instance, then that of each binding.
   */
  readonly ordered?: readonly OrderedPlace[];
  /**
   * Places below `config` whose templates it fills, with `*` for any name (`files.*.content`) and `**` for any names at
   * the end, and whether what they come to is written into text or may be any value; elsewhere, and where it is `none`,
   * a template is a mistake. The first that fits counts. Absent: it fills all.
   */
  readonly fills?: Readonly<Record<string, 'text' | 'value' | 'none'>>;
  /** The secrets that an offering file must declare, by name. */
  readonly secrets?: Readonly<Record<string, 'instance' | 'binding'>>;
  /** How often the monitor restarts a unit where the offering does not say it; absent: as the guide has it. */
  readonly usualRestarts?: number;
  /** Keys of an offering file that only some provisioners act on, such as `hooks`; none when absent. */
  readonly supports?: readonly string[];
  /**
   * `by template`: it sees of a user's parameters only what templates and hooks of the offering take from them,
   * so without these they would do nothing and are refused. Absent: it may read them itself.
   */
  readonly readsParameters?: 'by template';
  /**
   * Its steps touch nothing outside the broker's database, so intent and result may be written as one: a
   * step that never happened has left nothing behind.
   */
  readonly selfContained: boolean;
  /** What it makes is on one node: it needs room there, and only that node can look after it. */
  readonly local?: boolean;
  /** What its nodes must have, beside the executables of an offering: `container engine`. */
  readonly needs?: readonly string[];
}

/** A root whose members are named in the offering file. */
export interface DeclaredRoot {
  /** Places below `config`: first that of the instance, then that of each binding. */
  readonly in: readonly string[];
  /** What each of its members has; absent: nothing or anything. */
  readonly members?: readonly string[];
  /** May it be secret, so that it stands on no command line? */
  readonly isConfidential?: boolean;
}

/** Things whose templates mention each other as `{{<root>.<name>}}`, or which say what they come after. */
export interface OrderedPlace {
  readonly at: string;
  readonly root: string;
}

/** Done, or call me again: one method serves start, poll and resume after a crash. */
export type Step<Result> =
  | { readonly done: Result; readonly did?: StepDone }
  | {
      readonly again: Again;
      readonly did?: StepDone;
    };

interface Again {
  readonly afterMs: number;
  readonly memo: Json;
  readonly note?: string;
  /**
   * Nothing is lost if this is not written at once, but together with what the next step comes to: whoever dies between
   * the two begins with the memo of before, and comes to the same.
   */
  readonly repeats?: boolean;
}

/** What a step did, for the operation's timeline; a step that only waits names nothing. */
export interface StepDone {
  /** `prepare`, `start`: a fixed word. */
  readonly step: string;
  /** How often it was tried, when the provisioner counts that itself. */
  readonly tries?: number;
}

export interface Made {
  /** Template roots for credentials and for later work, e.g. `{ node: { host }, ports: { main } }`. */
  readonly facts?: JsonObject;
  /** Of a backup. */
  readonly saved?: SavedBytes;
}

/** All a step may know. */
export interface Work {
  readonly operationId: string;
  /** The memo of the step before; undefined on the first. */
  readonly memo?: Json;
  /** When undoing or following a create that did not end: the memo it had reached. */
  readonly trace?: Json;
  /** As it shall be: for an update with the new plan and parameters. */
  readonly instance: ServiceInstance;
  /** For an update: as it is. */
  readonly previous?: ServiceInstance;
  readonly binding?: ServiceBinding;
  readonly plan: ServicePlan;
  /** Template roots: params, plan, secrets, instance, binding, broker, deps and the stored facts. */
  readonly values: JsonObject;
  /** Of a start, stop or restart: the units it is about; absent: all. */
  readonly units?: readonly string[];
  /** Of a restart: it is by the monitor, and spares what lives. */
  readonly sparing?: Sparing;
  /** Of a backup or restore. */
  readonly archive?: Archive | undefined;
  /** Of an action: which one. Its parameters are the template root `asked`, with this name. */
  readonly action?: string | undefined;
  /** Of an adoption: what is adopted, as a `Resource` is named. */
  readonly adopts?: string | undefined;
  /** By which programs that it runs go on with the trace of this step; absent: there is none. */
  readonly carrier?: Readonly<Record<string, string>> | undefined;
  /** The text without anything that is confidential here: for what is to be cut, since a part is not recognised. */
  readonly redact: (text: string) => string;
  /** Aborted when the operation is cancelled, its deadline has passed or the lease is lost: end soon. */
  readonly signal: AbortSignal;
}
