/** Backups of instances: what is known of them, where their bytes lie, and how a step gets at these. */
import { createHash } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import type { AuditEntry } from './audit.ts';
import { Failure } from './errors.ts';
import type { Archive, SavedBytes } from './provisioner.ts';
import type { Operation, StoredBytes } from './records.ts';

/** A backup of an instance that is whole: there is no record of any other. */
export interface Backup {
  /** That of the operation that has made it. */
  readonly id: string;
  /** Under which its bytes lie. */
  readonly name: string;
  readonly instanceId: string;
  readonly offeringId: string;
  readonly planId: string;
  /** The plan revision that the instance was of. */
  readonly revision: string;
  readonly stored: StoredBytes;
  /** Absent: it cannot be read. */
  readonly confidential?: BackupConfidential | undefined;
  /** Who asked for it. */
  readonly protocol: string;
  readonly principal?: string | undefined;
  /** It is to be removed, and its bytes may be gone already. */
  readonly removing: boolean;
  readonly createdAt: Date;
}

/** Lies encrypted in the database. */
export interface BackupConfidential {
  /** What the bytes are encrypted with. */
  readonly key?: string | undefined;
}

export type NewBackup = Omit<Backup, 'createdAt' | 'removing'>;

export interface BackupsQuery {
  /** The `next` of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
  readonly instanceId?: string | undefined;
  readonly offeringId?: string | undefined;
  /** Milliseconds since it was made, at least and at most. */
  readonly olderThan?: number | undefined;
  readonly youngerThan?: number | undefined;
}

export interface BackupsPage {
  readonly backups: readonly Backup[];
  readonly next?: string | undefined;
}

/** What the store remembers of backups. An operation that ends well writes its own with its end. */
export interface BackupBooks {
  find(id: string): Promise<Backup | undefined>;
  /** The latest first. Refuses with invalid an `after` that is the `next` of no page. */
  list(query: BackupsQuery): Promise<BackupsPage>;
  /** From now on it is to be removed; undefined when there is none. */
  condemn(id: string, audit: AuditEntry): Promise<Backup | undefined>;
  /** Its bytes are gone. */
  forget(id: string): Promise<void>;
}

/** Where the bytes lie. */
export interface BackupStorage {
  /**
   * Keeps what `fill` writes: all of it, or nothing when `fill` throws or this process dies.
   * @param fill ends what it is given when it has written all
   */
  write(name: string, fill: (to: Writable) => Promise<void>): Promise<SavedBytes>;
  /** As they lie there. @throws Failure 'gone' */
  raw(name: string): Promise<Readable>;
  /** As they were written; whoever reads hears of it as Failure 'damaged' when they are others. @throws Failure 'gone' */
  read(name: string, key?: string): Promise<Readable>;
  /** With what is left of a write that did not end; converges. */
  remove(name: string): Promise<void>;
}

/** Of an operation: only in these hands, so nobody who has lost it writes over what another one has saved. */
export function backupName({ id, attempt }: Pick<Operation, 'id' | 'attempt'>): string {
  return `${id}-${attempt}`;
}

/** Tries of one operation whose leavings are looked for. */
const mostLeft = 100;

/** Undefined: it is no backup and no restore. */
export function archiveOf(
  storage: BackupStorage | undefined,
  operation: Operation,
  signal: AbortSignal,
): Archive | undefined {
  if (operation.kind !== 'backup' && operation.kind !== 'restore') return undefined;
  const { backup, backupKey } = operation.confidential;
  return {
    async save(fill) {
      const place = requireStorage(storage);
      await removeLeft(place, operation, operation.attempt - 1);
      return place.write(backupName(operation), fill);
    },
    async load(read) {
      const place = requireStorage(storage);
      if (!backup) throw new Failure('gone', 'Nobody knows any more which backup was to be restored.');
      await requireWhole(place, backup, signal);
      await read(await place.read(backup.name, backupKey));
    },
  };
}

/** What hands before these may have left behind. @param to the last attempt that is meant */
export async function removeLeft(
  storage: BackupStorage,
  { id }: Pick<Operation, 'id'>,
  to: number,
): Promise<void> {
  for (let attempt = Math.max(1, to - mostLeft + 1); attempt <= to; attempt += 1)
    await storage.remove(backupName({ id, attempt }));
}

function requireStorage(storage: BackupStorage | undefined): BackupStorage {
  if (storage) return storage;
  throw new Failure(
    'unsupported',
    'This broker has no place for backups: BACKUP_DIR is not set, nor BACKUP_S3_URL.',
  );
}

async function requireWhole(
  storage: BackupStorage,
  { name, stored: { size, sha256 } }: Pick<Backup, 'name' | 'stored'>,
  signal: AbortSignal,
): Promise<void> {
  const hash = createHash('sha256');
  let found = 0;
  for await (const chunk of await storage.raw(name)) {
    signal.throwIfAborted();
    hash.update(chunk as Buffer);
    found += (chunk as Buffer).length;
  }
  if (found === size && hash.digest('hex') === sha256) return;
  throw new Failure('damaged', 'The backup is not as it was written any more, so nothing was restored.', {
    detail: `${name} has ${found} bytes of ${size}, or others.`,
  });
}
