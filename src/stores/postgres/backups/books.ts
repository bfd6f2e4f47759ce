import type { Backup, BackupBooks, BackupsQuery, NewBackup } from '../../../broker/backups.ts';
import type { Query, QueryRow } from '../../../postgres/query.ts';
import { join, sql, type Sql } from '../../../postgres/sql.ts';
import { parseConfidential } from '../../operation-rows.ts';
import { readPageMark, writePageMark } from '../../page-mark.ts';
import { auditInsertion } from '../audit/write.ts';
import { fromNow } from '../lease.ts';
import { columnsOf, names, type Columns } from '../rows.ts';

export function postgresBackups(query: Query): BackupBooks {
  return {
    async find(id) {
      const [row] = await query(sql`select to_json(b) as backup from backups b where id = ${id}`);
      return row && readBackup(row);
    },
    async list(asked) {
      const rows = await query(sql`
        select to_json(b) as backup from backups b where ${join([sql`true`, ...conditions(asked)], ' and ')}
        order by created_at desc, id desc limit ${asked.limit}`);
      const last = rows.length === asked.limit ? (rows.at(-1)?.['backup'] as BackupRow) : undefined;
      return { backups: rows.map(readBackup), next: last && writePageMark([last.created_at, last.id]) };
    },
    async condemn(id, audit) {
      const [row] = await query(sql`
        with before as (select id, removing from backups where id = ${id} for update),
          condemned as (
            update backups b set removing = true from before where b.id = before.id
            returning b.*, before.removing as was),
          fresh as (select id from condemned where not was),
          audited as (${auditInsertion(audit, sql`fresh`)})
        select to_json(c) as backup from condemned c`);
      return row && readBackup(row);
    },
    async forget(id) {
      await query(sql`delete from backups where id = ${id} and removing`);
    },
  };
}

/** @param from what there must be a row of */
export function backupInsertion(backup: NewBackup, from: Sql): Sql {
  const { stored } = backup;
  const columns: Columns = {
    id: sql`${backup.id}::text`,
    name: sql`${backup.name}::text`,
    instance_id: sql`${backup.instanceId}::text`,
    offering_id: sql`${backup.offeringId}::text`,
    plan_id: sql`${backup.planId}::text`,
    revision: sql`${backup.revision}::text`,
    size: sql`${stored.size}::bigint`,
    sha256: sql`${stored.sha256}::text`,
    protocol: sql`${backup.protocol}::text`,
    principal: sql`${backup.principal}::text`,
    confidential: sql`${JSON.stringify(backup.confidential ?? {})}::text`,
  };
  return sql`insert into backups (${names(columns)}) select ${columnsOf(columns)} from ${from}`;
}

function conditions({ after, instanceId, offeringId, olderThan, youngerThan }: BackupsQuery): readonly Sql[] {
  const [at, id] = after === undefined ? [] : readPageMark(after, 'string');
  const all = [
    at !== undefined && sql`(created_at, id) < (${at}::timestamptz, ${id}::text)`,
    instanceId !== undefined && sql`instance_id = ${instanceId}`,
    offeringId !== undefined && sql`offering_id = ${offeringId}`,
    olderThan !== undefined && sql`created_at <= ${fromNow(-olderThan)}`,
    youngerThan !== undefined && sql`created_at >= ${fromNow(-youngerThan)}`,
  ];
  return all.filter((one) => one !== false);
}

interface BackupRow {
  readonly id: string;
  readonly name: string;
  readonly instance_id: string;
  readonly offering_id: string;
  readonly plan_id: string;
  readonly revision: string;
  readonly size: number;
  readonly sha256: string;
  readonly protocol: string;
  readonly principal: string | null;
  readonly removing: boolean;
  readonly confidential: string;
  readonly created_at: string;
}

function readBackup({ backup }: QueryRow): Backup {
  const row = backup as BackupRow;
  const { id, name, revision, size, sha256, protocol, principal, removing } = row;
  return {
    id,
    name,
    instanceId: row.instance_id,
    offeringId: row.offering_id,
    planId: row.plan_id,
    revision,
    stored: { size, sha256 },
    protocol,
    principal: principal ?? undefined,
    confidential: parseConfidential(row.confidential),
    removing,
    createdAt: new Date(row.created_at),
  };
}
