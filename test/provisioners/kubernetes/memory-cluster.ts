import { randomUUID } from 'node:crypto';
import { isObject, type Json, type JsonObject, memberOf, sameJson } from '../../../src/broker/json.ts';
import { ClusterError } from '../../../src/provisioners/kubernetes/cluster-error.ts';
import type {
  Cluster,
  ClusterObject,
  Clusters,
  ExecResult,
  Kind,
  ObjectAddress,
} from '../../../src/provisioners/kubernetes/cluster.ts';
import { merged } from '../../../src/provisioners/kubernetes/objects/fill.ts';
import { plainText } from '../../../src/provisioners/kubernetes/objects/plain-text.ts';

/** A cluster in memory: what an API server does with objects, and of its controllers what makes pods ready. */
export interface MemoryCluster {
  readonly cluster: Cluster;
  /** All that is there. */
  objects(): readonly ClusterObject[];
  find(kind: string, name: string): ClusterObject | undefined;
  /** As a controller or a stranger writes. */
  write(kind: string, name: string, change: JsonObject): void;
  /** As somebody else makes it. */
  put(object: ClusterObject): void;
  /** Takes away without asking. */
  drop(kind: string, name: string): void;
  /** How pods of workloads are made from now on. */
  pods: 'ready' | 'none';
  /** Kinds that are not served. */
  readonly unserved: Set<string>;
  /** As a review of the broker's rights says it. */
  rights: JsonObject;
  identity: string;
  /** What programs in pods answer. */
  answer: (run: readonly string[], send: string) => ExecResult;
  readonly ran: { readonly run: readonly string[]; readonly send: string; readonly pod: string }[];
  /** Called before each request; may throw. */
  before: (verb: string, address: string) => void;
}

interface Entry {
  object: ClusterObject;
  /** What each manager applied last. */
  readonly applied: Map<string, JsonObject>;
}

export function aMemoryCluster(name = 'main'): MemoryCluster {
  const entries = new Map<string, Entry>();
  let version = 0;
  const self: MemoryCluster = {
    cluster: clusterOf(),
    objects: () => [...entries.values()].map(({ object }) => object),
    find: (kind, wanted) =>
      self.objects().find((one) => one.kind === kind && one.metadata['name'] === wanted),
    write(kind, wanted, change) {
      const [key, entry] = require(kind, wanted);
      store(key, entry, merged(entry.object, change) as ClusterObject);
    },
    put(object) {
      const entry: Entry = { object, applied: new Map([['kubectl', object]]) };
      store(keyOf(addressOf(object)), entry, {
        ...object,
        metadata: { uid: randomUUID(), managedFields: [{ manager: 'kubectl' }], ...object.metadata },
      });
    },
    drop(kind, wanted) {
      entries.delete(require(kind, wanted)[0]);
    },
    pods: 'ready',
    unserved: new Set(),
    rights: { incomplete: true, resourceRules: [], nonResourceRules: [] },
    identity: randomUUID(),
    answer: () => ({ exitCode: 0, stdout: 'OK\nOK\nOK\n', stderr: '' }),
    ran: [],
    before: () => undefined,
  };
  return self;

  function require(kind: string, wanted: string): [string, Entry] {
    const found = [...entries].find(
      ([, { object }]) => object.kind === kind && object.metadata['name'] === wanted,
    );
    if (!found) throw new Error(`There is no ${kind} ${wanted}.`);
    return found;
  }

  function store(key: string, entry: Entry, object: ClusterObject): ClusterObject {
    version += 1;
    const before = entries.get(key)?.object;
    const changed = !before || !sameJson(before['spec'], object['spec']);
    const generation = Number(before?.metadata['generation'] ?? 0) + (changed ? 1 : 0);
    const metadata = { ...object.metadata, generation, resourceVersion: String(version) };
    entry.object = { ...object, metadata };
    entries.set(key, entry);
    if (workloads.has(object.kind)) runPods(key, entry);
    return entry.object;
  }

  /** The controllers and the node: so many pods as are wanted, all of them ready. */
  function runPods(key: string, entry: Entry): void {
    const { object } = entry;
    const { namespace, generation, name: own } = object.metadata;
    const { replicas = 1, template } = memberOf(object, 'spec');
    const wanted = self.pods === 'ready' ? Number(replicas) : 0;
    const { metadata } = isObject(template) ? template : {};
    for (const [pod, { object: found }] of entries)
      if (found.kind === 'Pod' && memberOf(found, 'spec')['of'] === key) entries.delete(pod);
    const counts = ['replicas', 'readyReplicas', 'updatedReplicas', 'availableReplicas', 'currentReplicas'];
    const status: JsonObject = {
      observedGeneration: generation ?? 1,
      ...Object.fromEntries(counts.map((count) => [count, wanted])),
      conditions: [
        { type: 'Available', status: wanted > 0 ? 'True' : 'False' },
        { type: 'Progressing', status: 'True', reason: 'NewReplicaSetAvailable' },
      ],
    };
    entry.object = { ...object, status };
    for (let index = 0; index < wanted; index += 1)
      put({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          ...(isObject(metadata) ? metadata : {}),
          name: `${plainText(own)}-${index}`,
          namespace: namespace ?? '',
        },
        spec: { of: key },
        status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
      });
  }

  function put(object: ClusterObject): void {
    const entry: Entry = { object, applied: new Map() };
    const uid = randomUUID();
    store(keyOf(addressOf(object)), entry, { ...object, metadata: { ...object.metadata, uid } });
  }

  function remove(key: string, entry: Entry): ClusterObject | undefined {
    const { object } = entry;
    const { finalizers } = object.metadata;
    const pending = Array.isArray(finalizers) && finalizers.length > 0;
    if (object.kind === 'Namespace')
      for (const [inner, one] of entries)
        if (one.object.metadata['namespace'] === object.metadata['name']) remove(inner, one);
    for (const [pod, { object: found }] of entries)
      if (memberOf(found, 'spec')['of'] === key) entries.delete(pod);
    const isFull =
      object.kind === 'Namespace' &&
      self.objects().some(({ metadata }) => metadata['namespace'] === object.metadata['name']);
    if (!pending && !isFull) {
      entries.delete(key);
      return undefined;
    }
    const metadata = { ...object.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    entry.object = { ...object, metadata };
    return entry.object;
  }

  function clusterOf(): Cluster {
    return {
      name,
      async identity() {
        self.before('identity', '');
        return self.identity;
      },
      async served({ apiVersion, kind }) {
        if (self.unserved.has(kind)) return undefined;
        const plural = `${kind.toLowerCase()}s`;
        return { apiVersion, kind, plural, namespaced: kind !== 'Namespace', verbs: [] };
      },
      async get(address) {
        self.before('get', keyOf(address));
        return entries.get(keyOf(address))?.object;
      },
      async list({ apiVersion, kind }, { namespace, labels }) {
        self.before('list', kind);
        return self.objects().filter((object) => {
          const own = memberOf(object.metadata, 'labels');
          const isIn = namespace === undefined || object.metadata['namespace'] === namespace;
          const fits = Object.entries(labels).every(([label, value]) => own[label] === value);
          return object.apiVersion === apiVersion && object.kind === kind && isIn && fits;
        });
      },
      async apply(object, { force, manager = 'purveyor' }) {
        const key = keyOf(addressOf(object));
        self.before('apply', key);
        requireNamespace(object);
        const found = entries.get(key);
        const { uid } = object.metadata;
        if (!found && uid !== undefined)
          throw new ClusterError({
            status: 409,
            reason: 'Conflict',
            message: 'uid mismatch: the provided object',
          });
        if (found && uid !== undefined && uid !== found.object.metadata['uid'])
          throw new ClusterError({
            status: 422,
            reason: 'Invalid',
            message: 'metadata.uid: field is immutable',
          });
        const others = [...(found?.applied.keys() ?? [])].filter((other) => other !== manager);
        if (found && !force && others.length > 0) {
          const message = `conflict with "${others[0]}" using v1`;
          throw new ClusterError({
            status: 409,
            message,
            causes: [{ reason: 'FieldManagerConflict', message, field: '' }],
          });
        }
        const { metadata, ...rest } = object;
        const { uid: _given, ...meta } = metadata;
        const sent: ClusterObject = {
          ...rest,
          apiVersion: object.apiVersion,
          kind: object.kind,
          metadata: meta,
        };
        requireImmutable(found?.object, sent);
        const entry = found ?? { object: sent, applied: new Map<string, JsonObject>() };
        const base = without(entry.object, entry.applied.get(manager) ?? {});
        entry.applied.set(manager, sent);
        const managedFields = [...entry.applied.keys()].map((one) => ({ manager: one, operation: 'Apply' }));
        const whole = merged(isObject(base) ? base : {}, sent) as ClusterObject;
        const own = { uid: found?.object.metadata['uid'] ?? randomUUID(), managedFields };
        return store(key, entry, { ...whole, metadata: { ...whole.metadata, ...own } });
      },
      async patch(address, change, { manager }) {
        self.before('patch', keyOf(address));
        const entry = entries.get(keyOf(address));
        if (!entry)
          throw new ClusterError({ status: 404, reason: 'NotFound', message: `${address.name} not found` });
        if (manager !== 'purveyor') entry.applied.set(manager, {});
        return store(keyOf(address), entry, merged(entry.object, change) as ClusterObject);
      },
      async remove(address, uid) {
        const key = keyOf(address);
        self.before('remove', key);
        const entry = entries.get(key);
        if (!entry || (uid !== undefined && entry.object.metadata['uid'] !== uid)) return undefined;
        return remove(key, entry);
      },
      rules: async () => self.rights,
      log: async ({ name: pod }, { lines }) => `log of ${pod}, ${lines} lines\n`,
      async exec({ name: pod }, { run, send = '' }) {
        self.before('exec', pod);
        self.ran.push({ run, send, pod });
        return self.answer(run, send);
      },
    };
  }

  function requireNamespace({ metadata: { namespace } }: ClusterObject): void {
    if (typeof namespace !== 'string') return;
    const found = entries.get(keyOf({ apiVersion: 'v1', kind: 'Namespace', name: namespace }));
    if (!found)
      throw new ClusterError({
        status: 404,
        reason: 'NotFound',
        message: `namespaces "${namespace}" not found`,
      });
    if (found.object.metadata['deletionTimestamp'] === undefined) return;
    const causes = [{ reason: 'NamespaceTerminating', message: 'is being terminated', field: '' }];
    throw new ClusterError({ status: 403, reason: 'Forbidden', message: 'is forbidden', causes });
  }
}

/** The clusters that a provisioner is given. */
export function clustersOf(...all: readonly MemoryCluster[]): Clusters {
  const byName = new Map(all.map(({ cluster }) => [cluster.name, cluster]));
  return {
    names: [...byName.keys()],
    find: (name) =>
      name === undefined ? (byName.size === 1 ? all[0]?.cluster : undefined) : byName.get(name),
    close: async () => undefined,
  };
}

const workloads: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet']);

function requireImmutable(before: ClusterObject | undefined, after: ClusterObject): void {
  const changed = (field: string) =>
    before && !sameJson(memberOf(before, 'spec')[field] ?? null, memberOf(after, 'spec')[field] ?? null);
  if (
    (after.kind === 'StatefulSet' && changed('serviceName')) ||
    (after.kind === 'Job' && changed('template'))
  )
    throw new ClusterError({ status: 422, reason: 'Invalid', message: `${after.kind}: field is immutable` });
}

function addressOf({ apiVersion, kind, metadata }: ClusterObject): ObjectAddress {
  const { name, namespace } = metadata;
  return {
    apiVersion,
    kind,
    name: plainText(name),
    namespace: typeof namespace === 'string' ? namespace : undefined,
  };
}

function keyOf({ kind, name, namespace = '' }: Kind & Pick<ObjectAddress, 'name' | 'namespace'>): string {
  return `${namespace}/${kind}/${name}`;
}

/** What a manager had applied goes, where it does not say it again. */
function without(value: Json, applied: Json): Json | undefined {
  if (!isObject(value) || !isObject(applied)) return undefined;
  const left = Object.entries(value).flatMap(([member, inner]) => {
    const rest = Object.hasOwn(applied, member) ? without(inner, applied[member] ?? null) : inner;
    return rest === undefined ? [] : [[member, rest] as const];
  });
  return left.length === 0 ? undefined : Object.fromEntries(left);
}
