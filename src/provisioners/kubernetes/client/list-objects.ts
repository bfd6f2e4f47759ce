import { isObject, type JsonObject } from '../../../broker/json.ts';
import { ClusterError } from '../cluster-error.ts';
import type { ClusterObject, Kind } from '../cluster.ts';

const pageSize = '500';

type ReadPage = (query: Readonly<Record<string, string | undefined>>) => Promise<JsonObject>;

/** All objects with these labels, page by page; all at once when the cluster has changed too much in between (410). */
export async function listObjects(
  kind: Kind,
  labels: Readonly<Record<string, string>>,
  readPage: ReadPage,
): Promise<readonly ClusterObject[]> {
  const words = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const labelSelector = words.length === 0 ? undefined : words.join(',');
  try {
    return await pagesOf(kind, (next) => readPage({ labelSelector, limit: pageSize, continue: next }));
  } catch (error) {
    if (!(error instanceof ClusterError) || error.status !== 410) throw error;
    return itemsIn(kind, await readPage({ labelSelector }));
  }
}

async function pagesOf(
  kind: Kind,
  read: (next: string | undefined) => Promise<JsonObject>,
): Promise<readonly ClusterObject[]> {
  const found: ClusterObject[] = [];
  let next: string | undefined;
  do {
    const page = await read(next);
    found.push(...itemsIn(kind, page));
    const metadata = isObject(page['metadata']) ? page['metadata'] : {};
    next = typeof metadata['continue'] === 'string' ? metadata['continue'] : undefined;
  } while (next !== undefined && next !== '');
  return found;
}

/** In a list, objects of the server's own kinds do not say what they are. */
function itemsIn({ apiVersion, kind }: Kind, { items }: JsonObject): readonly ClusterObject[] {
  const objects = Array.isArray(items) ? items.filter(isObject) : [];
  return objects.flatMap(({ metadata, ...others }) =>
    isObject(metadata) ? [{ ...others, apiVersion, kind, metadata }] : [],
  );
}
