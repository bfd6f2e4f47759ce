import { type AuditEntry, auditEntry } from '../audit.ts';
import type { RemoveOrphan } from '../commands.ts';
import type { BrokerContext } from '../context.ts';
import { Refusal } from '../errors.ts';
import { tellEnd } from '../events.ts';
import { jsonOf } from '../json.ts';
import { certainAfter, type Scope } from '../orphans.ts';

/** Refuses with not-found, and with conflict as long as the suspect is not final. */
export function removeOrphan(core: BrokerContext, { origin, name, ...where }: RemoveOrphan): Promise<void> {
  const summary = () => ({ kind: 'remove-orphan', name, ...where }) as const;
  const audit = auditEntry(core, origin, {
    verb: 'remove-orphan',
    object: { kind: 'orphan', id: name },
    after: jsonOf({ provisioner: where.provisioner, node: where.node }),
    outcome: 'succeeded',
  });
  return tellEnd(core.observe, { origin, summary }, () => approveRemoval(core, where, name, audit));
}

async function approveRemoval(
  { orphans }: BrokerContext,
  where: Scope,
  name: string,
  audit: AuditEntry,
): Promise<void> {
  if (await orphans.approveRemoval(where, name, audit)) return;
  const suspect = (await orphans.list()).find(
    ({ provisioner, node, resource: thing }) =>
      provisioner === where.provisioner && node === where.node && thing.name === name,
  );
  if (!suspect) throw new Refusal('not-found', 'There is no such orphan.');
  const since = suspect.firstSeenAt.toISOString();
  const certain = new Date(suspect.firstSeenAt.getTime() + certainAfter).toISOString();
  throw new Refusal(
    'conflict',
    `It was first seen at ${since}. It can be removed when it is still seen after ${certain}.`,
  );
}
