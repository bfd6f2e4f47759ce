import type { Query } from '../../postgres/query.ts';
import { sql } from '../../postgres/sql.ts';

/** What the objects of all brokers with this database are told from those of others by. */
export function installationIn(query: Query): () => Promise<string> {
  let known: string | undefined;
  return async () => {
    const [row] = known === undefined ? await query(sql`select id from kubernetes_installation`) : [];
    known ??= String(row?.['id']);
    return known;
  };
}
