import { auditEntry } from '../audit.ts';
import type { Backup, BackupsPage, BackupsQuery } from '../backups.ts';
import type { DeleteBackup } from '../commands.ts';
import { Refusal } from '../errors.ts';
import { tellEnd } from '../events.ts';
import { declaredOfferings } from '../on-sale.ts';
import type { RequestContext } from '../requests/context.ts';

/** By the names of offering and plan, as far as the catalog knows them. */
export interface NamedBackup extends Backup {
  readonly offering: string;
  readonly plan: string;
}

export interface ListedBackups extends Omit<BackupsPage, 'backups'> {
  readonly backups: readonly NamedBackup[];
}

export async function listBackups(core: RequestContext, query: BackupsQuery): Promise<ListedBackups> {
  const { backups, next } = await core.store.backups.list(query);
  return { backups: backups.map((one) => nameBackup(core, one)), next };
}

export function nameBackup(core: RequestContext, backup: Backup): NamedBackup {
  const offering = declaredOfferings(core).find(({ id }) => id === backup.offeringId);
  const plan = offering?.plans.find(({ id }) => id === backup.planId);
  return { ...backup, offering: offering?.name ?? backup.offeringId, plan: plan?.name ?? backup.planId };
}

/**
 * Removes a backup. It is no backup any more from the first write on; asked for once more, what was broken off is ended.
 * @throws Refusal 'not-found', and 'unsupported' where there is no place for backups
 */
export async function deleteBackup(core: RequestContext, { backupId, origin }: DeleteBackup): Promise<void> {
  const { store, backups: storage, observe } = core;
  const known = await store.backups.find(backupId);
  if (!known) throw new Refusal('not-found', 'There is no backup with this id.');
  if (!storage)
    throw new Refusal(
      'unsupported',
      'This broker has no place for backups: BACKUP_DIR is not set, nor BACKUP_S3_URL.',
    );
  const { instanceId } = known;
  const summary = () => ({ kind: 'delete-backup', backupId, instanceId }) as const;
  await tellEnd(observe, { origin, summary }, async () => {
    const audit = auditEntry(core, origin, {
      verb: 'delete-backup',
      object: { kind: 'instance', instanceId },
      before: { backup: backupId },
      outcome: 'succeeded',
    });
    const condemned = await store.backups.condemn(backupId, audit);
    if (!condemned) return;
    await storage.remove(condemned.name);
    await store.backups.forget(backupId);
  });
}
