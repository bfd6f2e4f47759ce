import type { Work } from '../../../broker/provisioner.ts';
import type { Cluster, ClusterObject } from '../cluster.ts';
import type { ClusterPlace, KubernetesSettings } from '../context.ts';
import { installationLabel, instanceLabel, labelOf, nameOf, parentLabel } from './labels.ts';

/** An instance of which there is something in a cluster. */
export interface FoundInstance extends ClusterPlace {
  readonly key: string;
}

/**
 * By their labels, what there is of instances of this broker in a cluster: namespaces of their own, and in others the
 * Secrets that stand for them.
 * @param namespaces those that instances share
 */
export async function instancesIn(
  cluster: Cluster,
  installation: string,
  namespaces: readonly string[],
  signal: AbortSignal,
): Promise<readonly FoundInstance[]> {
  const labels = { [installationLabel]: installation };
  const uid = await cluster.identity(signal);
  const found = (object: ClusterObject, namespace: string): readonly FoundInstance[] => {
    const key = labelOf(object, instanceLabel);
    return key === undefined ? [] : [{ key, namespace, cluster: { name: cluster.name, uid } }];
  };
  const own = await cluster.list({ apiVersion: 'v1', kind: 'Namespace' }, { labels }, signal);
  const shared = await Promise.all(
    namespaces.map(async (namespace) => {
      const where = { namespace, labels: { ...labels, [parentLabel]: 'true' } };
      const parents = await cluster.list({ apiVersion: 'v1', kind: 'Secret' }, where, signal);
      return parents.flatMap((parent) => found(parent, namespace));
    }),
  );
  return [...own.flatMap((namespace) => found(namespace, nameOf(namespace))), ...shared.flat()];
}

/** Where something of an instance is of which nothing is recorded. A cluster that does not answer was not asked for any. */
export async function findPlace(
  settings: KubernetesSettings,
  key: string,
  { signal }: Pick<Work, 'signal'>,
): Promise<ClusterPlace | undefined> {
  const { clusters, sharedNamespaces } = settings;
  const installation = await settings.installation();
  for (const name of clusters.names) {
    const cluster = clusters.find(name);
    if (!cluster) continue;
    const all = await instancesIn(cluster, installation, sharedNamespaces(name), signal).catch(() => []);
    const found = all.find((one) => one.key === key);
    if (found) return { cluster: found.cluster, namespace: found.namespace };
  }
  return undefined;
}
