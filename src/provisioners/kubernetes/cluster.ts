import type { JsonObject } from '../../broker/json.ts';

/** Any object of a cluster, as its API server writes it. */
export type ClusterObject = JsonObject & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: JsonObject;
};

export interface Kind {
  readonly apiVersion: string;
  readonly kind: string;
}

export interface ObjectAddress extends Kind {
  readonly name: string;
  /** Absent: the kind is not namespaced. */
  readonly namespace?: string;
}

/** What discovery says of a kind. */
export interface ServedKind extends Kind {
  /** As in addresses: `statefulsets`. */
  readonly plural: string;
  readonly namespaced: boolean;
  readonly verbs: readonly string[];
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * One cluster. What its server answered with an error is thrown as ClusterError; without an answer another Error is
 * thrown ("The cluster main does not answer").
 */
export interface Cluster {
  readonly name: string;
  /** The uid of its namespace kube-system: which cluster it is, whatever its address. */
  identity(signal: AbortSignal): Promise<string>;
  /** undefined: it serves no such kind (asked anew once before that is said). */
  served(kind: Kind, signal: AbortSignal): Promise<ServedKind | undefined>;
  /** undefined: there is none. */
  get(address: ObjectAddress, signal: AbortSignal): Promise<ClusterObject | undefined>;
  list(
    kind: Kind,
    where: { readonly namespace?: string; readonly labels: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): Promise<readonly ClusterObject[]>;
  /** Server-side apply, strict; with `uid` in its metadata only onto that very object. */
  apply(
    object: ClusterObject,
    how: { readonly force: boolean; readonly dryRun?: boolean; readonly manager?: string },
    signal: AbortSignal,
  ): Promise<ClusterObject>;
  /** A JSON merge patch. */
  patch(
    address: ObjectAddress,
    change: JsonObject,
    how: { readonly manager: string; readonly subresource?: string },
    signal: AbortSignal,
  ): Promise<ClusterObject>;
  /** Foreground deletion of the object with this uid. undefined: it is gone, or another one has its name. */
  remove(
    address: ObjectAddress,
    uid: string | undefined,
    signal: AbortSignal,
  ): Promise<ClusterObject | undefined>;
  /** What we may do in a namespace (SelfSubjectRulesReview), as its `status` says. */
  rules(namespace: string, signal: AbortSignal): Promise<JsonObject>;
  log(
    pod: { readonly namespace: string; readonly name: string; readonly container?: string },
    query: { readonly lines: number; readonly previous?: boolean },
    signal: AbortSignal,
  ): Promise<string>;
  exec(
    pod: { readonly namespace: string; readonly name: string; readonly container?: string },
    command: { readonly run: readonly string[]; readonly send?: string },
    signal: AbortSignal,
  ): Promise<ExecResult>;
}

/** The clusters that the operator has configured. */
export interface Clusters {
  readonly names: readonly string[];
  /**
   * undefined: no such cluster is configured. Without a name that of KUBERNETES_CONFIG, else the only one (undefined
   * when there are several).
   */
  find(name?: string): Cluster | undefined;
  close(): Promise<void>;
}
