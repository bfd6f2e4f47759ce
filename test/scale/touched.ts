// How much of the large tables a statement goes through, however few rows it gives.
import { Client, type Pool, type PoolClient } from 'pg';

export interface Sent {
  readonly text: string;
  readonly values: readonly unknown[];
}

/** As in a plan of Postgres that was run. */
interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Rows Removed by Join Filter'?: number;
  readonly 'Rows Removed by Index Recheck'?: number;
  readonly 'Total Cost': number;
  readonly Plans?: readonly PlanNode[];
}

/** Remembers all that connections of this process send from now on, each text with some of its values. */
export function rememberStatements(): { readonly sent: () => readonly Sent[]; readonly stop: () => void } {
  const all = new Map<string, Sent[]>();
  // oxlint-disable-next-line typescript/unbound-method -- it is called with what it is called on
  const original = Client.prototype.query as (this: unknown, ...args: unknown[]) => unknown;
  function query(this: unknown, ...args: unknown[]): unknown {
    const [given, values] = args as [unknown, unknown];
    const { text, values: own } =
      typeof given === 'string' ? { text: given, values } : (given as Partial<Sent>);
    if (text !== undefined && /^\s*(?:select|with|insert|update|delete)\b/i.test(text)) {
      const known = all.get(text) ?? [];
      const sent = { text, values: Array.isArray(own) ? own : [] };
      // The first and the latest: what is long in work may differ from what it was at the start.
      all.set(text, [...known.slice(0, 2), sent]);
    }
    return original.apply(this, args);
  }
  Client.prototype.query = query as typeof Client.prototype.query;
  return {
    sent: () => [...all.values()].flat(),
    stop: () => void (Client.prototype.query = original as typeof Client.prototype.query),
  };
}

/** Where it was written once already, it could not be written again. */
const forgetting = `
  with gone as (delete from operations where instance_id like 'scale-life-%' returning 1)
  delete from audit_trail where instance_id like 'scale-life-%'`;

/**
 * Runs it once more, in a transaction that is taken back, and tells what went through more rows than this: parts of its
 * plan, each with the number. Both the plan for these values is looked at and the one for any, where Postgres would take
 * that in the long run, as it does when it thinks it no dearer.
 */
export async function dearParts(
  pool: Pool,
  { text, values }: Sent,
  most: number,
): Promise<readonly string[]> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    if (/insert into (?:operations|audit_trail)/.test(text)) {
      await client.query('alter table audit_trail disable trigger audit_trail_stays');
      await client.query(forgetting);
    }
    await client.query(`prepare looked_at as ${text}`);
    const literals = values.map((value) => literal(client, value)).join(', ');
    const run = `execute looked_at ${values.length > 0 ? `(${literals})` : ''}`;
    const cost = async (mode: string) => {
      await client.query(`set local plan_cache_mode = ${mode}`);
      return (await planOf(client, `explain (format json) ${run}`))['Total Cost'];
    };
    const generic = (await cost('force_generic_plan')) <= (await cost('force_custom_plan'));
    const modes = ['force_custom_plan', ...(generic ? ['force_generic_plan'] : [])];
    const found: string[] = [];
    for (const mode of modes) {
      await client.query(`set local plan_cache_mode = ${mode}`);
      await client.query('savepoint before');
      const plan = await planOf(client, `explain (analyze, timing off, format json) ${run}`);
      await client.query('rollback to before');
      found.push(...partsOver(plan, most));
    }
    return [...new Set(found)];
  } finally {
    await client.query('rollback');
    await client.query('deallocate all');
    client.release();
  }
}

async function planOf(client: PoolClient, text: string): Promise<PlanNode> {
  const { rows } = await client.query<{ 'QUERY PLAN': readonly { Plan: PlanNode }[] }>(text);
  const plan = rows[0]?.['QUERY PLAN'][0]?.Plan;
  if (!plan) throw new Error(`There is no plan: ${text}`);
  return plan;
}

/** As the text of a value that Postgres is to take for whatever type it needs. */
function literal(client: PoolClient, value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (value instanceof Date) return client.escapeLiteral(value.toISOString());
  if (Array.isArray(value)) return client.escapeLiteral(listText(value));
  return client.escapeLiteral(typeof value === 'string' ? value : JSON.stringify(value));
}

function listText(values: readonly unknown[]): string {
  const parts = values.map((one) =>
    one === null || one === undefined
      ? 'null'
      : JSON.stringify(typeof one === 'string' ? one : JSON.stringify(one)),
  );
  return `{${parts.join(',')}}`;
}

function partsOver(node: PlanNode, most: number): readonly string[] {
  const below = (node.Plans ?? []).flatMap((one) => partsOver(one, most));
  const rows = rowsOf(node);
  const name = [node['Node Type'], node['Relation Name'], node['Index Name']].filter(Boolean).join(' ');
  return rows > most ? [`${name}: ${Math.round(rows)}`, ...below] : below;
}

function rowsOf(node: PlanNode): number {
  const each =
    node['Actual Rows'] +
    (node['Rows Removed by Filter'] ?? 0) +
    (node['Rows Removed by Join Filter'] ?? 0) +
    (node['Rows Removed by Index Recheck'] ?? 0);
  return each * node['Actual Loops'];
}
