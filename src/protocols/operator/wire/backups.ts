import { next, operationAnswer } from './operations.ts';
import { body, list, maybe, named, object, text, time, truth, whole, type ValueOf } from './shape.ts';

export const backupAnswer = named(
  'Backup',
  object({
    id: text('That of the operation that has made it.'),
    instance_id: text('Of what it is; it may be gone by now.'),
    offering: text('By name; the id where it has left the catalog.'),
    offering_id: text(),
    plan: text('By name; the id where it has left the catalog.'),
    plan_id: text(),
    revision: text('Of the plan, as the instance had it.'),
    name: text('Under which it lies where backups are kept.'),
    size: whole('Bytes, as it lies there.'),
    sha256: text('Of the same, in hexadecimal.'),
    asked_by: object({ protocol: text(), principal: maybe(text('Whose login it was.')) }),
    removing: maybe(truth('It is being removed: delete it once more if that does not end.')),
    created_at: time(),
  }),
);
export type BackupAnswer = ValueOf<typeof backupAnswer>;

export const backupsAnswer = named(
  'Backups',
  object({ backups: list(backupAnswer, 'The latest first.'), next }),
);
export type BackupsAnswer = ValueOf<typeof backupsAnswer>;

export const backupMadeAnswer = named(
  'BackupMade',
  object({ operation: maybe(operationAnswer), backup: maybe(backupAnswer) }),
);
/** The operation that makes it, or what it has made. */
export type BackupMadeAnswer = ValueOf<typeof backupMadeAnswer>;

export const restoreBody = body({
  into: maybe(
    text('The instance; absent: the one that the backup was made of.', {
      minLength: 1,
      maxLength: 1000,
      format: 'text',
    }),
  ),
});
export type RestoreBody = ValueOf<typeof restoreBody>;
