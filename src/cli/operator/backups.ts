import type { BackupAnswer } from '../../protocols/operator/wire/backups.ts';
import { defineCommand, type CliCommand } from '../command.ts';
import { argument, asJson, option, someText } from '../parameters.ts';
import { printFor } from '../output/print.ts';
import { table } from '../table.ts';
import { describeOperation } from './instance-answers.ts';
import { instanceId } from './instances.ts';
import { findBackups, listOptions } from './lists.ts';
import { operatorOfHere } from './asking/operator-of-here.ts';
import { doAndTell, untilOver } from './asking/until-done.ts';

const backupId = argument('id', someText(), 'the id of the backup, as `backups` shows it');

/** What instances hold, kept elsewhere and put back. */
export const backupCommands: readonly CliCommand[] = [
  defineCommand({
    words: 'backups',
    description: 'Show the backups of instances, the latest first.',
    options: {
      instance: option('--instance <id>', someText(), 'only those of this instance'),
      ...listOptions,
      ...asJson,
    },
    async run(_given, { json, limit, olderThan, youngerThan, ...rest }) {
      const query = { ...rest, older_than: olderThan, younger_than: youngerThan };
      const found = await findBackups(await operatorOfHere(), query, limit);
      printFor(json, found, backupTable(found));
      return 0;
    },
  }),
  defineCommand({
    words: 'backups create',
    description: 'Make a backup of an instance, as its offering says how.',
    arguments: [instanceId],
    options: asJson,
    async run([id], { json }) {
      const client = await operatorOfHere();
      const { operation, backup } = await client.createBackup(id);
      const ended = operation && (await untilOver(client, operation));
      const made = backup ?? (await findMade(id, ended?.id));
      printFor(json, { operation: ended, backup: made }, made ? backupTable([made]) : describeEnd(ended));
      return ended?.state === 'failed' ? 1 : 0;
    },
  }),
  defineCommand({
    words: 'backups restore',
    description:
      'Put what a backup holds in place of what its instance holds, or another one of the offering.',
    arguments: [backupId],
    options: {
      into: option('--into <instance>', someText(), 'the id of another instance of the same offering'),
      ...asJson,
    },
    run: async ([id], { json, into }) =>
      doAndTell(
        { verb: 'restore', id, json, wait: (client, _id, operation) => untilOver(client, operation) },
        (client) => client.restoreBackup(id, { into }),
      ),
  }),
  defineCommand({
    words: 'backups delete',
    description: 'Remove a backup.',
    arguments: [backupId],
    options: asJson,
    async run([id], { json }) {
      await (await operatorOfHere()).deleteBackup(id);
      printFor(json, {}, `The backup ${id} is removed.`);
      return 0;
    },
  }),
];

/** A backup has the id of the operation that has made it. */
async function findMade(instance: string, id: string | undefined): Promise<BackupAnswer | undefined> {
  if (id === undefined) return undefined;
  return (await findBackups(await operatorOfHere(), { instance })).find((one) => one.id === id);
}

function describeEnd(ended: Parameters<typeof describeOperation>[0] | undefined): string {
  return ended ? describeOperation(ended) : 'backup succeeded';
}

function backupTable(backups: readonly BackupAnswer[]): string {
  const rows = backups.map((one) => [
    one.id,
    one.instance_id,
    one.offering,
    one.plan,
    one.size,
    one.sha256.slice(0, 12),
    one.asked_by.principal ?? one.asked_by.protocol,
    one.removing ? 'being removed' : one.created_at,
  ]);
  return table(['BACKUP', 'INSTANCE', 'OFFERING', 'PLAN', 'BYTES', 'SHA-256', 'ASKED BY', 'MADE'], rows);
}
