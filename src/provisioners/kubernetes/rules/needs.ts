import type { Json, JsonObject } from '../../../broker/json.ts';
import type { Kind } from '../cluster.ts';
import { groupOf } from './apply-set.ts';
import type { Need } from './rights.ts';

/** Of the config of an offering, what the rights that it needs follow from. */
export interface Wants {
  readonly space: { readonly quota?: JsonObject; readonly limits?: readonly Json[] };
  readonly objects: Readonly<Record<string, Kind & { readonly ready?: Json }>>;
  readonly read: Reads;
  readonly units: Readonly<Record<string, unknown>>;
  readonly bind: {
    readonly objects: Wants['objects'];
    readonly read: Reads;
    readonly exec: readonly unknown[];
  };
  readonly unbind: { readonly exec: readonly unknown[] };
}

type Reads = Readonly<Record<string, { readonly of: string | Kind }>>;

export interface NeedsOfPlan {
  /** In the namespace of an instance. */
  readonly within: readonly Need[];
  /** Of what is in no namespace. */
  readonly beside: readonly Need[];
}

const all = ['get', 'list', 'create', 'patch', 'delete'];
/** What goes with its namespace. */
const laid = ['get', 'create', 'patch'];

/**
 * What a broker may have to do for instances of such a plan, and not more.
 * @param isOwn each has a namespace for itself; @param hasExec operators run commands in pods
 */
export function needsOfPlan(
  wants: Wants,
  isOwn: boolean,
  pluralOf: (kind: Kind) => string,
  hasExec = false,
): NeedsOfPlan {
  const { objects, read, units, bind, unbind, space } = wants;
  const templates = [...Object.values(objects), ...Object.values(bind.objects)];
  const own = templates.map((kind) => ({ group: groupOf(kind), resource: pluralOf(kind), verbs: all }));
  const others = [...Object.values(read), ...Object.values(bind.read)].flatMap(({ of }) =>
    typeof of === 'string' ? [] : [{ group: groupOf(of), resource: pluralOf(of), verbs: ['get'] }],
  );
  const runs = hasExec || bind.exec.length > 0 || unbind.exec.length > 0;
  const core = (resource: string, verbs: readonly string[]) => ({ group: '', resource, verbs });
  const within = [
    ...own,
    ...others,
    core('secrets', all),
    core('persistentvolumeclaims', ['list', 'delete']),
    core('pods', ['list', 'delete']),
    ...(Object.keys(units).length > 0 ? [core('pods/log', ['get'])] : []),
    // A WebSocket begins with a GET; servers of 1.35 and later want the right to create as well.
    ...(runs ? [core('pods/exec', ['get', 'create'])] : []),
    ...(templates.some(({ ready }) => ready === 'endpoints') ? [core('endpoints', ['get'])] : []),
  ];
  const claims = templates.some(({ kind }) => kind === 'PersistentVolumeClaim');
  const beside = claims ? [{ group: 'storage.k8s.io', resource: 'storageclasses', verbs: ['get'] }] : [];
  if (!isOwn) return { within, beside };
  const apart = [
    { group: 'networking.k8s.io', resource: 'networkpolicies', verbs: laid },
    core('serviceaccounts', laid),
    ...(space.quota ? [core('resourcequotas', laid)] : []),
    ...(space.limits ? [core('limitranges', laid)] : []),
  ];
  return { within: [...within, ...apart], beside: [...beside, core('namespaces', all)] };
}

/** One of a role. */
export type RoleRule = Readonly<Record<'apiGroups' | 'resources' | 'verbs', readonly string[]>>;

/** As the rules of a role: each resource once, and together what has the same group and verbs. */
export function rulesOf(needs: readonly Need[]): readonly RoleRule[] {
  const byResource = Map.groupBy(needs, ({ group, resource }) => `${group}/${resource}`);
  const once = [...byResource.values()].map((same) => ({
    group: same[0]?.group ?? '',
    resource: same[0]?.resource ?? '',
    verbs: all.filter((verb) => same.some(({ verbs }) => verbs.includes(verb))),
  }));
  const alike = Map.groupBy(once, ({ group, verbs }) => `${group} ${verbs.join()}`);
  return [...alike.values()]
    .map((same): RoleRule => ({
      apiGroups: [same[0]?.group ?? ''],
      resources: same.map(({ resource }) => resource).toSorted(),
      verbs: same[0]?.verbs ?? [],
    }))
    .toSorted((a, b) => (orderOfRule(a) < orderOfRule(b) ? -1 : 1));
}

function orderOfRule({ apiGroups, resources }: RoleRule): string {
  return [...apiGroups, ...resources].join(' ');
}

/** What kinds are called in addresses, where it is not what English makes of them. */
const plurals: ReadonlyMap<string, string> = new Map([
  [' Endpoints', 'endpoints'],
  ['redis.redis.opstreelabs.in Redis', 'redis'],
]);

/** Groups of Kubernetes itself, whose kinds follow the rule. */
const ofKubernetes = /^(?:|apps|batch|policy|autoscaling|[a-z]+(?:\.[a-z]+)*\.k8s\.io)$/;

/** `statefulsets` of `StatefulSet`, and whether that is only a guess. */
export function pluralOf(kind: Kind): { readonly plural: string; readonly isGuess: boolean } {
  const group = groupOf(kind);
  const known = plurals.get(`${group} ${kind.kind}`);
  const name = kind.kind.toLowerCase();
  return known === undefined
    ? { plural: englishPlural(name), isGuess: !ofKubernetes.test(group) }
    : { plural: known, isGuess: false };
}

function englishPlural(name: string): string {
  if (/(?:s|x|z|ch|sh)$/.test(name)) return `${name}es`;
  return /[^aeiou]y$/.test(name) ? `${name.slice(0, -1)}ies` : `${name}s`;
}
