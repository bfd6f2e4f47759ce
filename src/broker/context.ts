import type { BackupStorage } from './backups.ts';
import type { Catalog, ServiceOffering, ServicePlan } from './catalog.ts';
import type { Exec, ReadLog } from './commands.ts';
import type { CredentialStore } from './credential-store.ts';
import type { BrokerEvent } from './events.ts';
import type { JsonObject } from './json.ts';
import type { QuotaRule } from './listing.ts';
import type { Nodes, NodeState, Users } from './nodes.ts';
import type { Orphans } from './orphans.ts';
import type { Inventory, Provisioner } from './provisioner.ts';
import type { Store } from './store.ts';
import type { Executed, UnitLog } from './units.ts';

/** All that the core needs of what is around it; tests hand in real, small implementations. */
export interface BrokerContext {
  readonly store: Store;
  readonly nodes: Nodes;
  /** As whom instances run on nodes. */
  readonly users: Pick<Users, 'find'>;
  readonly orphans: Orphans;
  /** Absent: there is no place for them. */
  readonly backups?: BackupStorage | undefined;
  /** Quotas beside those of offering files; absent: none. */
  readonly quotas?: (() => readonly QuotaRule[]) | undefined;
  /** The broker of another node, for what only that one can do at once. */
  readonly peer: (node: NodeState) => Peer;
  /** What is on sale now. */
  readonly catalog: () => Catalog;
  /** Offerings that are declared, but that nobody could make now, each with the reason as a sentence. */
  readonly hidden: () => readonly HiddenOffering[];
  /** Builds a plan again from the definition of a stored revision. */
  readonly revive: (definition: JsonObject) => ServicePlan;
  /** By name; throws an Error that lists the known names. */
  readonly provisioner: (name: string) => Provisioner;
  /** All that can be looked through for orphans. */
  readonly inventories: () => readonly Inventory[];
  /** Absent: every platform is given credentials as they are. */
  readonly credentialStore?: CredentialStore | undefined;
  readonly observe: (event: BrokerEvent) => void;
  /** Absent: nobody wants to see what goes on as a trace. */
  readonly tracing?: Tracing | undefined;
  readonly seals: Seals;
  readonly newId: () => string;
  /** Random letters and digits. */
  readonly newSecret: (length: number) => string;
  /** For what is told and kept. */
  readonly now: () => Date;
  /** Milliseconds on a clock that nobody sets: for how long something takes. */
  readonly uptime: () => number;
  readonly settings: Settings;
}

/** Shows what goes on as spans of a trace, which may go through many brokers. */
export interface Tracing {
  /** Does the work within a span, which ends with it. */
  within<Result>(subject: SpanSubject, work: (span: OpenSpan) => Promise<Result>): Promise<Result>;
  /** By which another process goes on with the trace of what goes on here; undefined: there is none. */
  carrier(): Readonly<Record<string, string>> | undefined;
}

export interface SpanSubject {
  readonly name: string;
  /** Nothing confidential: whoever collects traces reads them. */
  readonly attributes: Readonly<Record<string, string | number | undefined>>;
  /** The carrier of what this goes on with; absent: what goes on here now. */
  readonly follows?: Readonly<Record<string, string>> | undefined;
  /** Others will go on with it. */
  readonly opens?: boolean;
}

export interface OpenSpan {
  add(attributes: SpanSubject['attributes']): void;
  /** @param word what kind of failure it was, without anything confidential */
  fail(word: string): void;
}

const untraced: Tracing = {
  within: (_subject, work) => work({ add: () => undefined, fail: () => undefined }),
  carrier: () => undefined,
};

export function tracingOf({ tracing }: Pick<BrokerContext, 'tracing'>): Tracing {
  return tracing ?? untraced;
}

/** Texts that are given to browsers and come back: only brokers with the same keys make and read them. */
export interface Seals {
  /** @param purpose another one opens it not */
  seal(purpose: string, text: string): string;
  /** Undefined: it is none of ours, or its key is gone. */
  open(purpose: string, token: string): string | undefined;
}

export interface HiddenOffering {
  readonly offering: ServiceOffering;
  readonly reason: string;
}

/** Throws Refusal 'unavailable' when it cannot be reached. */
export interface Peer {
  exec(command: Exec): Promise<readonly Executed[]>;
  log(command: ReadLog): Promise<readonly UnitLog[]>;
}

export interface Settings {
  /** The broker's own address, `{{broker.url}}` in templates. */
  readonly url: string;
  /** This process, as leases name it. */
  readonly holder: string;
  /** The node that this process is; absent: it runs nothing local. */
  readonly node?: string;
  /** Milliseconds a request that accepts incomplete work waits for it all the same. */
  readonly asyncPatience: number;
  /** Milliseconds a request that wants the end of the work waits for it. */
  readonly syncPatience: number;
  /** Milliseconds an operation is held before another broker may take it. */
  readonly lease: number;
  /** Milliseconds that ended operations are remembered. */
  readonly retention: number;
  /** Milliseconds that the audit trail goes back; absent: to its beginning. */
  readonly auditHistory?: number;
}
