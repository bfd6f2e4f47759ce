import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestDatabase } from './database.ts';
import { codeOf } from '../../src/system/error-code.ts';

/**
 * All that a broker remembers and has made, one line each: every row of every table, those of the trial
 * among them, and every file. Two of them differ exactly when something was changed in between. Of an operation in progress, which a
 * worker writes to all the time, only what it is counts.
 */
export async function tracesOf({ pool, schema }: TestDatabase, dataDir: string): Promise<readonly string[]> {
  const tables = await pool.query<{ name: string }>(
    'select table_name as name from information_schema.tables where table_schema = $1 order by 1',
    [schema],
  );
  const rows: string[] = [];
  for (const { name } of tables.rows.filter((table) => !looks.includes(table.name))) {
    const found = await pool.query<{ row: string }>(`select row_to_json(t)::text as row from "${name}" t`);
    rows.push(...found.rows.map(({ row }) => `${name} ${name === 'operations' ? settledPart(row) : row}`));
  }
  return [...rows.toSorted(), ...filesIn(dataDir)];
}

/** Brokers tell there all the time that they are there, what they see, and of logins that they refuse. */
export const looks = ['nodes', 'brokers', 'instance_checks', 'orphan_suspects', 'audit_trail'];

const worker = ['attempt', 'failures', 'trouble', 'holder', 'note', 'confidential', 'due_at', 'deadline'];

function settledPart(row: string): string {
  const operation = JSON.parse(row) as Record<string, unknown>;
  if (operation['state'] !== 'in progress') return row;
  return JSON.stringify(
    Object.fromEntries(Object.entries(operation).filter(([name]) => !worker.includes(name))),
  );
}

/** Files that begin with a point are being written. */
function filesIn(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map(({ parentPath, name }) => join(parentPath, name))
    .toSorted()
    .flatMap((file) => lineOf(file));
}

/** Tests beside this one remove what is theirs while it is looked for. */
function lineOf(file: string): readonly string[] {
  try {
    return [`${file} ${readFileSync(file, 'utf8')}`];
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}
