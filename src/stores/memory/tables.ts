import type { AuditRecord } from '../../broker/audit.ts';
import type { JsonObject } from '../../broker/json.ts';
import type { NodeProfile } from '../../broker/nodes.ts';
import type { Suspect } from '../../broker/orphans.ts';
import type { Backup } from '../../broker/backups.ts';
import type { Operation, ServiceBinding, ServiceInstance, TimelineEntry } from '../../broker/records.ts';
import type { Hint } from '../../broker/store.ts';
import type { Seen } from '../../broker/units.ts';

export interface Row<Rec> {
  readonly record: Rec;
  /** The open operation on it. */
  readonly operationId?: string | undefined;
}

export interface Queued {
  readonly operation: Operation;
  readonly dueAt: number;
  /** What its instance will take of its node when it has succeeded. */
  readonly cost?: number | undefined;
}

export interface NodeRow {
  readonly profile: NodeProfile;
  readonly draining: boolean;
  /** Empty: it has left. */
  readonly holder: string;
  readonly machine: string;
  readonly beatAt: number;
}

/** A port that an instance has, or one that rests. */
export interface PortRow {
  readonly node: string;
  readonly port: number;
  readonly owner?: { readonly instanceId: string; readonly name: string };
  readonly freeAt?: number;
}

/** A user that an instance has, or one that was given back. */
export interface UserRow {
  readonly node: string;
  readonly owner?: string;
  readonly freeSince?: number;
}

export interface CheckRow {
  readonly dueAt: number;
  readonly seen?: Seen;
}

export interface Tables {
  readonly instances: Map<string, Row<ServiceInstance>>;
  readonly bindings: Map<string, Row<ServiceBinding>>;
  /** In the order in which they were opened. */
  readonly operations: Map<string, Queued>;
  /** By operation. */
  readonly timelines: Map<string, readonly TimelineEntry[]>;
  /** By instance. */
  readonly checks: Map<string, CheckRow>;
  readonly revisions: Map<string, JsonObject>;
  readonly audit: Map<string, AuditRecord>;
  readonly backups: Map<string, Backup>;
  readonly nodes: Map<string, NodeRow>;
  /** By node and number. */
  readonly ports: Map<string, PortRow>;
  /** By number. */
  readonly users: Map<number, UserRow>;
  /** By provisioner, node and name. */
  readonly suspects: Map<string, Suspect & { readonly lastSeenAt: Date }>;
  readonly listeners: Set<(hint: Hint) => void>;
  readonly now: () => number;
  readonly tell: (hint: Hint) => void;
}

/** Empty ones. */
export function newTables(now: () => Date): Tables {
  const listeners = new Set<(hint: Hint) => void>();
  return {
    instances: new Map(),
    bindings: new Map(),
    operations: new Map(),
    timelines: new Map(),
    checks: new Map(),
    revisions: new Map(),
    audit: new Map(),
    backups: new Map(),
    nodes: new Map(),
    ports: new Map(),
    users: new Map(),
    suspects: new Map(),
    listeners,
    now: () => now().getTime(),
    tell(hint) {
      for (const listener of listeners) queueMicrotask(() => listeners.has(listener) && listener(hint));
    },
  };
}

export function bindingKey(instanceId: string, bindingId: string): string {
  return JSON.stringify([instanceId, bindingId]);
}

export function bindingsOf({ bindings }: Tables, instanceId: string): Row<ServiceBinding>[] {
  return [...bindings.values()].filter(({ record }) => record.instanceId === instanceId);
}

export function removeInstance(tables: Tables, instanceId: string): void {
  for (const { record } of bindingsOf(tables, instanceId)) {
    tables.bindings.delete(bindingKey(instanceId, record.id));
  }
  tables.checks.delete(instanceId);
  tables.instances.delete(instanceId);
}

/** What has happened to the units of an instance is worth a look. */
export function lookAtOnce({ checks, now }: Tables, instanceId: string): void {
  const check = checks.get(instanceId);
  if (check) checks.set(instanceId, { ...check, dueAt: now() });
}
