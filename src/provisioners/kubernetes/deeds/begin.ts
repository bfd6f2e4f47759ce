import { Failure } from '../../../broker/errors.ts';
import { instanceKey } from '../../../broker/key.ts';
import type { Work } from '../../../broker/provisioner.ts';
import { type Attempt, type Next, TryLater } from '../../../node/step-sequence.ts';
import type { Cluster } from '../cluster.ts';
import { type ClusterConfig, configOf } from '../form/config.ts';
import {
  type ClusterPlace,
  factsOf,
  type KubernetesSettings,
  misconfigured,
  placeIn,
  requireCluster,
  wantedPlace,
} from '../context.ts';
import { asking, sentenceOf } from '../objects/asking.ts';
import { findShortfall } from '../shortfall.ts';

/**
 * Before anything is done: where the instance is or shall be, that this is still the same cluster, and that it serves
 * and allows what the plan needs. What comes out of it is recorded.
 * @throws Failure
 */
export async function begin(
  settings: KubernetesSettings,
  { work, kept }: Attempt,
  to: string,
): Promise<Next> {
  const config = configOf(work.plan);
  const wanted = wantedPlace({ config, key: instanceKey(work.instance), values: work.values });
  const cluster = requireCluster(settings.clusters, wanted.cluster);
  const recorded = placeIn(kept) ?? placeIn(factsOf(work));
  const { namespace } = wanted;
  if (recorded && (recorded.cluster.name !== cluster.name || recorded.namespace !== namespace))
    throw new Failure('unsupported', 'An instance cannot move to another cluster or namespace.', usable);
  const uid = await identityOf(cluster, work);
  if (recorded) requireSame(recorded, uid);
  await requireServed(cluster, config, work, namespace);
  return { to, did: 'check', keep: { cluster: { name: cluster.name, uid }, namespace } };
}

/** That a cluster is the one where the instance is, whatever its address leads to. @throws Failure */
export async function requireSameCluster(
  { clusters }: KubernetesSettings,
  place: ClusterPlace,
  work: Work,
): Promise<Cluster> {
  const cluster = clusters.find(place.cluster.name);
  if (!cluster)
    throw new Failure('no-cluster', 'The cluster of this instance is not known any more.', {
      detail: `There is no cluster '${place.cluster.name}'. There are: ${clusters.names.join(', ')}.`,
    });
  requireSame(place, await identityOf(cluster, work));
  return cluster;
}

const usable = { instanceUsable: true, updateRepeatable: true };

function requireSame({ cluster: { name, uid } }: ClusterPlace, found: string): void {
  if (uid === found) return;
  throw new Failure('another-cluster', 'The cluster of this instance cannot be reached any more.', {
    ...usable,
    detail: `This is another cluster: '${name}' had the identity ${uid}, and has ${found} now.`,
  });
}

async function identityOf(cluster: Cluster, { signal }: Work): Promise<string> {
  const uid = await asking('read', () => cluster.identity(signal));
  if (uid === undefined) throw new Error(`The cluster ${cluster.name} does not say which one it is.`);
  return uid;
}

/** @throws TryLater, and in the end the Failure in it */
async function requireServed(
  cluster: Cluster,
  config: ClusterConfig,
  { signal }: Work,
  namespace: string,
): Promise<void> {
  const shortfall = await findShortfall(
    cluster,
    config,
    { namespace, isOwn: config.namespace === 'own' },
    signal,
  );
  if (shortfall === undefined) return;
  // An API server that has just started may not know yet what it serves, and who may do what.
  throw new TryLater(new Failure('no-kind', misconfigured, { ...usable, detail: sentenceOf(shortfall) }));
}
