import { Failure } from '../../broker/errors.ts';
import { isObject, type JsonObject, memberOf } from '../../broker/json.ts';
import { bindingKey, instanceKey } from '../../broker/key.ts';
import type { Work } from '../../broker/provisioner.ts';
import { render, TemplateError } from '../../broker/template.ts';
import type { Attempt } from '../../node/step-sequence.ts';
import { type ClusterConfig, configOf } from './form/config.ts';
import type { Cluster, Clusters, ObjectAddress } from './cluster.ts';
import { plainText } from './objects/plain-text.ts';

export interface KubernetesSettings {
  readonly clusters: Clusters;
  /** What this broker's objects are told from those of others by; random, and kept with its state. */
  readonly installation: () => Promise<string>;
  /** The namespaces of a cluster that instances share, as far as offerings have named them. */
  readonly sharedNamespaces: (cluster: string) => readonly string[];
}

/** An object that was announced, and perhaps made. */
export interface MadeObject extends ObjectAddress {
  readonly namespace: string;
  readonly wave: number;
  /** Absent: it was announced only. */
  readonly uid?: string;
  /** Its resourceVersion when it was applied last. */
  readonly version?: string;
}

export type MadeObjects = Readonly<Record<string, MadeObject>>;

/** Which cluster and namespace an instance is in. */
export interface ClusterPlace {
  readonly cluster: { readonly name: string; readonly uid: string };
  readonly namespace: string;
}

export interface ClusterContext {
  readonly work: Work;
  readonly config: ClusterConfig;
  readonly key: string;
  readonly installation: string;
  readonly kept: JsonObject;
  readonly place: ClusterPlace;
  readonly cluster: Cluster;
  /** Has the instance the namespace for itself? */
  readonly isOwn: boolean;
  /** Those of the instance as they are recorded: by this operation, or else by the one that made it. */
  readonly made: MadeObjects;
  /** All that templates may use, but what is made. */
  readonly roots: JsonObject;
}

/** What is known of an instance whose place is recorded. */
export async function contextOf(
  settings: KubernetesSettings,
  { work, kept }: Attempt,
): Promise<ClusterContext> {
  const place = placeIn(kept) ?? placeIn(factsOf(work));
  if (!place) throw new Error('It is not known in which cluster the instance is.');
  const key = instanceKey(work.instance);
  return {
    work,
    config: configOf(work.plan),
    key,
    installation: await settings.installation(),
    kept,
    place,
    cluster: requireCluster(settings.clusters, place.cluster.name),
    isOwn: place.namespace === key,
    made: { ...madeIn(factsOf(work)), ...madeIn(kept) },
    roots: { ...work.values, cluster: place.cluster, namespace: place.namespace },
  };
}

/** The facts of the instance alone: those of a binding stand over them in the values. */
export function factsOf({ instance }: Pick<Work, 'instance'>): JsonObject {
  return instance.confidential.facts;
}

/** @param recorded facts, or what steps have left to remember */
export function placeIn(recorded: JsonObject): ClusterPlace | undefined {
  const { name, uid } = memberOf(recorded, 'cluster');
  const { namespace } = recorded;
  if (typeof name !== 'string' || typeof uid !== 'string' || typeof namespace !== 'string') return undefined;
  return { cluster: { name, uid }, namespace };
}

export function madeIn(recorded: JsonObject): MadeObjects {
  const objects = memberOf(recorded, 'objects');
  const entries = Object.entries(objects).filter(([, object]) => isObject(object));
  return Object.fromEntries(entries) as unknown as MadeObjects;
}

export function requireCluster(clusters: Clusters, name?: string): Cluster {
  const found = clusters.find(name);
  if (found) return found;
  throw new Failure('misconfigured', misconfigured, { detail: clusterProblem(clusters, name) });
}

/** Why there is no such cluster, as a clause. */
export function clusterProblem({ names }: Clusters, name?: string): string {
  if (names.length === 0) return 'no cluster is configured';
  const known = names.join(', ');
  return name === undefined
    ? `config.cluster must say which cluster is meant. There are: ${known}`
    : `there is no cluster '${name}'. There are: ${known}`;
}

export const misconfigured = 'The service offering is not set up correctly. Ask the operator of the broker.';

/** @throws Failure when a template cannot be filled */
export function filling<Filled>(fill: () => Filled): Filled {
  try {
    return fill();
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new Failure('template', misconfigured, { detail: error.message });
  }
}

/** Which cluster and namespace the plan wants. @throws Failure when the templates come to none */
export function wantedPlace({
  config,
  key,
  values,
}: {
  readonly config: ClusterConfig;
  readonly key: string;
  readonly values: JsonObject;
}): { readonly cluster?: string; readonly namespace: string } {
  return filling(() => ({
    cluster: config.cluster === undefined ? undefined : plainText(render(config.cluster, values)),
    namespace: config.namespace === 'own' ? key : plainText(render(config.namespace, values)),
  }));
}

/** Of the binding that the work is about. */
export function keyOfBinding({ binding }: Work): string {
  if (!binding) throw new Error('There is no binding.');
  return bindingKey(binding);
}
