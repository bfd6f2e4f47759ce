import type { Broker, NamedBackup } from '../../../broker/broker.ts';
import type { DeleteBackup, RestoreBackup } from '../../../broker/commands.ts';
import { Refusal } from '../../../broker/errors.ts';
import type { OperatorView } from '../../../broker/operator-view.ts';
import type { Call, Handler } from '../../protocol.ts';
import { readBackupsQuery } from '../list-queries.ts';
import { acted, ok } from '../replies.ts';
import { isStorable, originOf, readWhole } from '../requests.ts';
import { operationReply } from '../responses.ts';
import { requireRestoreBody } from '../shapes.ts';
import type { BackupAnswer, BackupMadeAnswer, BackupsAnswer } from '../wire/backups.ts';

export type BackupKeeper = Pick<Broker, 'backUp' | 'listBackups' | 'restoreBackup' | 'deleteBackup'>;

export function backupEndpoints(broker: BackupKeeper, overview: Pick<OperatorView, 'offerings'>) {
  return {
    async backups(call) {
      const { backups, next } = await broker.listBackups(readBackupsQuery(call, overview.offerings()));
      return ok<BackupsAnswer>({ backups: backups.map(backupReply), next });
    },
    async 'backups create'(call) {
      const { outcome, backup } = await broker.backUp(readWhole(call));
      if (outcome.is !== 'accepted') return ok<BackupMadeAnswer>({ backup: backup && backupReply(backup) });
      const body: BackupMadeAnswer = { operation: operationReply(outcome.operation) };
      return { status: 202, body };
    },
    'backups restore': async (call) => acted(await broker.restoreBackup(readRestore(call))),
    async 'backups delete'(call) {
      await broker.deleteBackup(readDeletion(call));
      return ok({});
    },
  } satisfies Readonly<Record<string, Handler>>;
}

function readRestore(call: Call): RestoreBackup {
  const { into } = requireRestoreBody(call.body ?? {});
  return { backupId: requireBackupId(call), into, acceptsIncomplete: true, origin: originOf(call) };
}

function readDeletion(call: Call): DeleteBackup {
  return { backupId: requireBackupId(call), origin: originOf(call) };
}

function requireBackupId({ params: { backupId = '' } }: Call): string {
  if (isStorable(backupId)) return backupId;
  throw new Refusal('not-found', 'There is no backup with this id.');
}

function backupReply(backup: NamedBackup): BackupAnswer {
  const { id, name, instanceId, offering, offeringId, plan, planId, revision, stored } = backup;
  return {
    id,
    instance_id: instanceId,
    offering,
    offering_id: offeringId,
    plan,
    plan_id: planId,
    revision,
    name,
    size: stored.size,
    sha256: stored.sha256,
    asked_by: { protocol: backup.protocol, principal: backup.principal },
    removing: backup.removing || undefined,
    created_at: backup.createdAt.toISOString(),
  };
}
