import type { TestDatabase } from '../support/database.ts';
import { looks } from '../support/traces.ts';

/** What there is. */
export interface Stock {
  readonly instances: ReadonlyMap<string, { readonly offering: string; readonly plan: string }>;
  /** As instance/binding. */
  readonly bindings: ReadonlySet<string>;
  /** A fingerprint of all rows of each table. */
  readonly prints: Readonly<Record<string, string | null>>;
  /** Operations that are still in progress. */
  readonly open: number;
}

/** Looks at it all in one statement. */
export async function stockTaker({ pool, schema }: TestDatabase): Promise<() => Promise<Stock>> {
  const tables = await pool.query<{ name: string }>(
    'select table_name as name from information_schema.tables where table_schema = $1 order by 1',
    [schema],
  );
  const prints = tables.rows
    .filter(({ name }) => !looks.includes(name))
    .map(
      ({ name }) =>
        `select '${name}' as of, md5(string_agg(t::text, '|' order by t::text)) as print from "${name}" t`,
    );
  const text = `select
    (select coalesce(json_agg(json_build_array(id, offering_id, plan_id)), '[]') from service_instances) as instances,
    (select coalesce(json_agg(instance_id || '/' || id), '[]') from service_bindings) as bindings,
    (select count(*)::int from operations where state = 'in progress') as open,
    (select json_object_agg(of, print) from (${prints.join(' union all ')}) all_prints) as prints`;
  return async () => {
    const [row] = (await pool.query<Row>(text)).rows;
    if (!row) throw new Error('The database tells nothing.');
    return {
      instances: new Map(row.instances.map(([id, offering, plan]) => [id, { offering, plan }])),
      bindings: new Set(row.bindings),
      open: row.open,
      prints: row.prints,
    };
  };
}

interface Row {
  readonly instances: readonly (readonly [id: string, offering: string, plan: string])[];
  readonly bindings: readonly string[];
  readonly open: number;
  /** A fingerprint of all rows of each table. */
  readonly prints: Readonly<Record<string, string | null>>;
}
