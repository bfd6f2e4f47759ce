import { Failure } from '../../../broker/errors.ts';
import { jsonOf } from '../../../broker/json.ts';
import { instanceKey } from '../../../broker/key.ts';
import type { Work } from '../../../broker/provisioner.ts';
import type { Attempt, Next } from '../../../node/step-sequence.ts';
import type { Cluster, ServedKind } from '../cluster.ts';
import { type ClusterConfig, configOf, kindsOf } from '../form/config.ts';
import {
  type ClusterPlace,
  factsOf,
  type KubernetesSettings,
  misconfigured,
  placeIn,
  requireCluster,
  wantedPlace,
} from '../context.ts';
import { asking } from '../objects/asking.ts';
import { groupOf } from '../rules/apply-set.ts';
import { missingRights, type Need } from '../rules/rights.ts';

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

async function requireServed(
  cluster: Cluster,
  config: ClusterConfig,
  { signal }: Work,
  namespace: string,
): Promise<void> {
  const served: ServedKind[] = [];
  for (const kind of kindsOf(config)) {
    const found = await asking('read', () => cluster.served(kind, signal));
    const name = `${kind.kind} of ${kind.apiVersion}`;
    if (!found) throw refused(`The cluster ${cluster.name} does not know the kind ${name}.`);
    if (!found.namespaced) throw refused(`Objects of the kind ${name} are in no namespace.`);
    served.push(found);
  }
  const rules = await asking('read', () => cluster.rules(namespace, signal));
  const missing = missingRights(jsonOf(rules ?? {}), needsOf(config, served));
  if (missing.length > 0) throw refused(`The broker may not ${missing.join(', ')} in ${namespace}.`);
}

function refused(detail: string): Failure {
  return new Failure('no-kind', misconfigured, { ...usable, detail });
}

function needsOf({ bind, unbind }: ClusterConfig, served: readonly ServedKind[]): readonly Need[] {
  const verbs = ['get', 'list', 'create', 'patch', 'delete'];
  const hasExec = bind.exec.length > 0 || unbind.exec.length > 0;
  return [
    ...served.map((kind) => ({ group: groupOf(kind), resource: kind.plural, verbs })),
    ...(hasExec ? [{ group: '', resource: 'pods/exec', verbs: ['create', 'get'] }] : []),
  ];
}
