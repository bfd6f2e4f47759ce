import type { AuditEntry } from './audit.ts';
import type { Resource } from './provisioner.ts';

/** Where things were found: of a local provisioner on a node, else anywhere. */
export interface Scope {
  readonly provisioner: string;
  readonly node?: string;
}

/** A thing for which there is no instance. */
export interface Suspect extends Scope {
  readonly resource: Resource;
  readonly firstSeenAt: Date;
  /** It was still there, and still nobody's, at a look at least `certainAfter` later. */
  readonly final: boolean;
  /** Somebody has said that it shall be removed. */
  readonly removalApproved: boolean;
}

/** Milliseconds between the first and the second look that make a suspect final. */
export const certainAfter = 300_000;

/** What provisioners have found and no instance stands for. Nothing of it is removed unless somebody says so. */
export interface Orphans {
  /**
   * Remembers the outcome of a look: things that no instance stands for, by its id or key, become suspects or stay
   * so; suspects of these whereabouts that were not found any more are forgotten. An instance that is of another node
   * stands for nothing here. Gives those whose removal is approved.
   */
  look(where: Scope, found: readonly Resource[]): Promise<readonly Resource[]>;
  /** Does no instance stand for the thing now? */
  isNobodys(where: Scope, thing: Resource): Promise<boolean>;
  list(): Promise<readonly Suspect[]>;
  /**
   * Says that a final suspect shall be removed at the next look. False when there is no such final suspect.
   * @param audit is written with it, when there is one
   */
  approveRemoval(where: Scope, name: string, audit?: AuditEntry): Promise<boolean>;
}
