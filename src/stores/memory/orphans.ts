import { instanceKey } from '../../broker/key.ts';
import { certainAfter, type Orphans, type Suspect, type Scope } from '../../broker/orphans.ts';
import type { Resource } from '../../broker/provisioner.ts';
import type { ServiceInstance } from '../../broker/records.ts';
import { writeAudit } from './audit.ts';
import type { Tables } from './tables.ts';

export function orphansOf(tables: Tables): Orphans {
  const { suspects } = tables;
  return {
    look: async (where, found) => look(tables, where, found),
    isNobodys: async (where, thing) => nobodysOf(tables, where, [thing]).length > 0,
    async list() {
      const all = [...suspects.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1));
      return all.map(([, { lastSeenAt: _seen, ...suspect }]) => suspect);
    },
    async approveRemoval(where, name, audit) {
      const key = suspectKey(where, name);
      const suspect = suspects.get(key);
      if (!suspect?.final) return false;
      suspects.set(key, { ...suspect, removalApproved: true });
      writeAudit(tables, audit);
      return true;
    },
  };
}

function look(tables: Tables, where: Scope, found: readonly Resource[]): readonly Resource[] {
  const { suspects } = tables;
  const before = new Map(suspects);
  for (const [key, { provisioner, node }] of before) {
    if (provisioner === where.provisioner && node === where.node) suspects.delete(key);
  }
  const seen = nobodysOf(tables, where, found).map((thing) => {
    const key = suspectKey(where, thing.name);
    const suspect = suspected(where, thing, before.get(key), new Date(tables.now()));
    suspects.set(key, suspect);
    return suspect;
  });
  return seen.filter(({ removalApproved }) => removalApproved).map(({ resource }) => resource);
}

function nobodysOf({ instances }: Tables, where: Scope, found: readonly Resource[]): readonly Resource[] {
  const owners = [...instances.values()].flatMap(({ record }) => (mayOwn(record, where) ? [record] : []));
  const ids = new Set(owners.map(({ id }) => id));
  const keys = new Set(owners.map(instanceKey));
  // A key is of one life of an id: where there is one, the id says nothing.
  return found.filter(({ instanceId = '', key }) =>
    key === undefined ? !ids.has(instanceId) : !keys.has(key),
  );
}

/** What was lost stands for nothing, wherever something of it comes to light. */
function mayOwn({ place, lost }: ServiceInstance, { node }: Scope): boolean {
  if (!place) return !lost;
  return node === undefined || node === place.node;
}

/** Another thing under an old name is not what was approved for removal. */
function suspected(where: Scope, thing: Resource, before: Suspect | undefined, lastSeenAt: Date) {
  const same =
    before && before.resource.instanceId === thing.instanceId && before.resource.key === thing.key
      ? before
      : undefined;
  const firstSeenAt = same?.firstSeenAt ?? lastSeenAt;
  const final = lastSeenAt.getTime() - firstSeenAt.getTime() >= certainAfter;
  return {
    ...where,
    resource: thing,
    firstSeenAt,
    lastSeenAt,
    final,
    removalApproved: same?.removalApproved ?? false,
  };
}

function suspectKey({ provisioner, node = '' }: Scope, name: string): string {
  return JSON.stringify([provisioner, node, name]);
}
