import type { JsonObject } from '../../../src/broker/json.ts';
import type { Ask } from './ask.ts';

export interface Listed {
  readonly kind: string;
  /** The kind in addresses. */
  readonly name: string;
  readonly item: JsonObject;
}

/** All that is in namespaces of a cluster, of every kind that it serves. @throws Error when something cannot be listed */
export async function listAll(ask: Ask): Promise<readonly Listed[]> {
  const list = async (path: string): Promise<JsonObject> => {
    const { status, body } = await ask('GET', path);
    if (status !== 200) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  const { groups = [] } = await list('/apis');
  const versions = (groups as unknown as readonly Group[]).map(
    ({ preferredVersion }) => `/apis/${preferredVersion.groupVersion}`,
  );
  const lists = ['/api/v1', ...versions].map(async (path) => {
    const { resources = [] } = await list(path);
    const kinds = (resources as unknown as readonly Resource[]).filter(isListed);
    const found = kinds.map(async ({ name, kind }) => {
      const { items = [] } = await list(`${path}/${name}`);
      return (items as JsonObject[]).map((item): Listed => ({ kind, name, item }));
    });
    return (await Promise.all(found)).flat();
  });
  return (await Promise.all(lists)).flat();
}

interface Group {
  readonly preferredVersion: { readonly groupVersion: string };
}

interface Resource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

function isListed({ namespaced, verbs }: Resource): boolean {
  return namespaced && verbs.includes('list');
}
