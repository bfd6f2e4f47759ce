import type { QuotaClaim, QuotaShortage } from './listing.ts';
import type { AuditEntry } from './audit.ts';
import type { Origin } from './records.ts';

/**
 * Nodes: brokers that run local things, such as processes. They tell of themselves by a heartbeat, and instances
 * are placed on them.
 */
export interface NodeProfile {
  readonly name: string;
  /** Where applications reach what runs there. */
  readonly host: string;
  /** Where the node's own broker answers other brokers. */
  readonly url: string;
  readonly directory: string;
  readonly ports: PortRange;
  /** The sum of the costs of the instances it takes. */
  readonly capacity: number;
  /** Of those that the catalog's offerings need, the ones that are there; what is no executable, too: `container engine`. */
  readonly executables: readonly string[];
  /** As whom instances run there, for people: user ids of which each new one has its own, or whom they share. */
  readonly accounts?: string;
  /** What keeps the limits of instances there, and which of them nothing keeps, in words; absent: nobody knows. */
  readonly limits?: string;
  readonly isolation: Isolation;
  /** Does it take instances that run programs, though nothing keeps them apart? */
  readonly allowsUnisolated: boolean;
}

/** What keeps the programs of one instance from the others and from the broker. */
export type Isolation = 'accounts+sandbox' | 'accounts' | 'sandbox' | 'none';

/** May instances that run programs be made there? */
export function takesPrograms({
  isolation,
  allowsUnisolated,
}: Pick<NodeProfile, 'isolation' | 'allowsUnisolated'>): boolean {
  return isolation !== 'none' || allowsUnisolated;
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface Node extends NodeProfile {
  /** It takes no new instances; those it has are served. */
  readonly draining: boolean;
  readonly beatAt: Date;
  /** It has left, or its last heartbeat is older than `staleAfter`: nobody knows what is with it. */
  readonly stale: boolean;
  /** The sum of the costs of its instances. */
  readonly used: number;
  readonly instances: number;
  readonly portsFree: number;
}

/** Without what is counted. */
export type NodeState = Omit<Node, 'used' | 'instances' | 'portsFree'>;

/** Milliseconds between two heartbeats of a node. */
export const beatEvery = 10_000;
/** Milliseconds after which a silent node counts as gone. */
export const staleAfter = 30_000;

export interface Nodes {
  /**
   * Tells that the node is there, and how it is. False when another process on another machine is telling the same
   * of a node with this name: only one may.
   * @param holder the process that speaks; the same one as long as it lives
   * @param machine by which another machine is told apart: its boot id
   */
  beat(profile: NodeProfile, holder: string, machine: string): Promise<boolean>;
  /**
   * The process that speaks for the node ends in good order: until the next beat the node is stale, and anybody may
   * speak for it. Nothing happens when another one speaks for it by now.
   */
  leave(name: string, holder: string): Promise<void>;
  /** False: there is no such node. */
  drain(name: string, draining: boolean, audit?: AuditEntry): Promise<boolean>;
  /**
   * Removes a node that is stale and has no instances; false otherwise.
   * @param abandon also when it has instances, since its machine will never come back: their bindings go, what was to
   * be done with them has failed, and they are of no node, as if they had never been finished
   */
  forget(name: string, abandon?: boolean, audit?: AuditEntry): Promise<boolean>;
  /** By name. What is on them is not counted: that takes the longer, the more there is. */
  states(): Promise<readonly NodeState[]>;
  list(): Promise<readonly Node[]>;
}

/** Numbers of users, and of groups of the same number. */
export interface UserRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Users of the machine that instances run as, by number. A number belongs to one instance at a time, whatever node it
 * is on: nodes of one database may be on one machine.
 */
export interface Users {
  /**
   * The number that the instance has already, or a free one of the range; undefined when there is none.
   * @param busy numbers that somebody uses of whom nothing is recorded
   */
  take(node: string, owner: string, range: UserRange, busy?: readonly number[]): Promise<number | undefined>;
  find(node: string, owner: string): Promise<number | undefined>;
  /** Gives the number of the instance back: those that nobody has had are given first, then the longest unused. */
  release(node: string, owner: string): Promise<void>;
}

/** What an instance needs to be made or changed. */
export interface Demand {
  /** At most so many instances of the offering. */
  readonly maxInstances?: number;
  /** What it takes of quotas. */
  readonly quotas?: readonly QuotaClaim[];
  /** Room on a node; absent: it is not of any node. */
  readonly room?: Room;
  /** The node of this broker. */
  readonly here?: string;
}

export interface Room {
  readonly cost: number;
  readonly executables: readonly string[];
  /** Do its instances run programs, which must be kept apart? */
  readonly runsPrograms: boolean;
  /** Its own node, when it has one already: then only the capacity counts. */
  readonly on?: string;
}

/** The limit that was reached. */
export type Shortage =
  | { readonly of: 'instances'; readonly limit: number }
  | QuotaShortage
  /** There is no node at all, none that answers, or none that takes new instances. */
  | { readonly of: 'nodes' }
  /** No node that takes instances keeps their programs apart. */
  | { readonly of: 'isolation' }
  /** No node that takes instances has all of these. */
  | { readonly of: 'executables'; readonly needs: readonly string[] }
  | { readonly of: 'capacity'; readonly cost: number };

/** Network ports of nodes. A number belongs to one instance at a time, and rests a while when it was given back. */
export interface Ports {
  /**
   * One port for each name: those that the instance has already, and random free ones. Undefined when there are
   * not enough; then none is taken.
   */
  take(
    node: string,
    instanceId: string,
    names: readonly string[],
  ): Promise<Readonly<Record<string, number>> | undefined>;
  /** A stranger has the port: nobody gets it for a while. Gives another number; undefined when there is none. */
  replace(node: string, instanceId: string, name: string): Promise<number | undefined>;
  /** Gives all ports of the instance back. */
  release(node: string, instanceId: string): Promise<void>;
}

/** Milliseconds that a port rests before another instance gets it. */
export const portRest = 60_000;
/** Milliseconds that a port which a stranger had is left alone. */
export const portQuarantine = 600_000;

/** A root of trust that the broker has made. Texts are PEM. */
export interface Authority {
  /** From 1, without gaps: who makes the next one makes that of the next number. */
  readonly generation: number;
  readonly certificate: string;
  readonly key: string;
  /** From when on it signs in place of all before it, as an operator has said; absent: when those come to their end. */
  readonly signsFrom?: Date | undefined;
}

/** Where authorities are remembered, for all brokers of one database. */
export interface Authorities {
  /** The oldest first. */
  list(): Promise<readonly Authority[]>;
  /** Nothing happens when there is one of this generation already, which counts: then it is false. */
  add(authority: Authority, audit?: AuditEntry): Promise<boolean>;
  /** Changes from when on it signs; false when that is not any more what was read. */
  schedule(authority: Authority, signsFrom: Date, audit: AuditEntry): Promise<boolean>;
}

/** A certificate with its key. Texts are PEM; the key is a secret. */
export interface IssuedCertificate {
  readonly certificate: string;
  readonly key: string;
  /** Hexadecimal. */
  readonly serial: string;
  readonly notAfter: Date;
  /** From when on it should be replaced: two thirds of its life. */
  readonly renewAt: Date;
  /** The generation of the authority that has signed it. */
  readonly authority: number;
  /** Whom to trust, it among them, as PEM. */
  readonly roots: string;
}

/** Which authorities count at a time. */
export interface AuthorityInForce {
  /** The generation of the one that signs. */
  readonly signer: number;
  /** All that may have signed what is in use, or will sign next, as PEM. */
  readonly roots: string;
}

/** The authority that all brokers of one database share. It is made when it is first needed. */
export interface Certificates {
  /**
   * A new certificate with a new key, for a server.
   * @param names host names and addresses, at least one
   */
  issue(names: readonly string[]): Promise<IssuedCertificate>;
  /** @param atMost milliseconds that the answer may be old */
  inForce(atMost: number): Promise<AuthorityInForce>;
}

/** An authority as operators see it. */
export interface AuthorityState extends Pick<Authority, 'generation' | 'signsFrom'> {
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Of all that there are one signs. */
  readonly signs: boolean;
  /** Is it in what bindings are given? */
  readonly trusted: boolean;
}

/** The authority that certificates of instances are signed by is to be followed before its time. */
export interface RenewAuthority {
  /** The next one, or one that is there and does not sign yet. */
  readonly generation: number;
  /** Milliseconds from now on until it signs. */
  readonly signsAfter: number;
  readonly origin: Origin;
}

/** What operators may do about authorities. */
export interface AuthorityOffice {
  /** The oldest first. */
  list(): Promise<readonly AuthorityState[]>;
  /**
   * Makes the next one before its time, or says anew when it signs; one that signs already is left as it is. Refuses with
   * conflict a generation that has been followed, or is not the next one.
   */
  renew(command: RenewAuthority): Promise<AuthorityState>;
}
