import type { ServicePlan } from '../../../broker/catalog.ts';
import { isObject, type Json, type JsonObject, jsonOf } from '../../../broker/json.ts';
import { expressionsIn, renderKnown } from '../../../broker/template.ts';
import type { Kind } from '../cluster.ts';
import { type Ordered, wavesOf } from '../rules/waves.ts';
import { plainText } from '../objects/plain-text.ts';

/** `config:` of an offering on a cluster, as `configSchema` has checked it. */
export interface ClusterConfig {
  readonly cluster?: string;
  readonly namespace: string;
  readonly space: SpaceTemplate;
  readonly objects: Readonly<Record<string, ObjectTemplate>>;
  readonly read: Readonly<Record<string, ReadTemplate>>;
  readonly units: Readonly<Record<string, UnitTemplate>>;
  readonly bind: BindTemplate;
  readonly unbind: Pick<BindTemplate, 'exec'>;
}

/** What an own namespace has. */
export interface SpaceTemplate {
  readonly labels: JsonObject;
  readonly podSecurity: string;
  readonly quota?: JsonObject;
  readonly limits?: readonly Json[];
  readonly allowFrom: readonly Json[];
}

export interface ObjectTemplate extends Kind {
  /** As it would be applied, without the words of ours. */
  readonly object: JsonObject;
  readonly ready?: Json;
  readonly failed?: Json;
  readonly after: readonly string[];
  readonly wait: boolean;
  readonly ignore: readonly string[];
  readonly replace: boolean;
  readonly keep: boolean;
  readonly stop?: JsonObject;
}

export interface ReadTemplate {
  readonly of: string | (Kind & { readonly name: string });
  readonly path: string;
  readonly decode?: 'base64';
  readonly optional?: boolean;
}

export interface UnitTemplate {
  readonly object: string;
  readonly container?: string;
  readonly pods?: Readonly<Record<string, string>>;
  readonly address?: string;
}

export interface ExecTemplate {
  readonly unit: string;
  readonly run: readonly string[];
  readonly send?: string;
  readonly expect?: string;
}

export interface BindTemplate {
  readonly objects: Readonly<Record<string, ObjectTemplate>>;
  readonly read: Readonly<Record<string, ReadTemplate>>;
  readonly exec: readonly ExecTemplate[];
}

/** With what `configSchema` says of absent keys. */
export function configOf({ making }: Pick<ServicePlan, 'making'>): ClusterConfig {
  const written = making.config as unknown as Written;
  const objects = mapValues(written.objects, templateOf);
  return {
    cluster: written.cluster,
    namespace: written.namespace,
    space: {
      labels: written.labels ?? {},
      podSecurity: written.pod_security ?? 'restricted',
      quota: written.quota,
      limits: written.limits,
      allowFrom: written.allow_from ?? [],
    },
    objects,
    read: written.read ?? {},
    units: unitsOf(objects, written.units),
    bind: {
      objects: mapValues(written.bind?.objects ?? {}, templateOf),
      read: written.bind?.read ?? {},
      exec: written.bind?.exec ?? [],
    },
    unbind: { exec: written.unbind?.exec ?? [] },
  };
}

/** Of what the plan says, what it says for all instances. */
export function fixedPlaceOf(
  plan: Pick<ServicePlan, 'making'>,
): Partial<Pick<ClusterConfig, 'cluster' | 'namespace'>> {
  const { cluster, namespace } = configOf(plan);
  const fixed = (text: string | undefined) => {
    if (text === undefined) return undefined;
    const value = expressionsIn(text).length === 0 ? text : renderKnown(text, { plan: plan.making.settings });
    return value === undefined ? undefined : plainText(value);
  };
  return { cluster: fixed(cluster), namespace: fixed(namespace) };
}

/** The names of these objects, in the order in which they are made. @throws Error when they have none */
export function orderOf(objects: Readonly<Record<string, ObjectTemplate>>): readonly (readonly string[])[] {
  return wavesOf(
    Object.entries(objects).map(([name, { apiVersion, kind, after, ...template }]): Ordered => ({
      name,
      apiVersion,
      kind,
      after,
      mentions: mentionedIn(template as unknown as Json).filter((other) => Object.hasOwn(objects, other)),
    })),
  );
}

/** All kinds that an instance and its bindings have. */
export function kindsOf({ objects, bind }: Pick<ClusterConfig, 'objects' | 'bind'>): readonly Kind[] {
  const all = [...Object.values(objects), ...Object.values(bind.objects)];
  const byName = all.map(({ apiVersion, kind }) => [`${apiVersion}/${kind}`, { apiVersion, kind }] as const);
  return [...new Map(byName).values()];
}

function mentionedIn(template: Json): readonly string[] {
  const names = expressionsIn(template).flatMap(({ path: [root, name] }) =>
    root === 'objects' ? [name] : [],
  );
  return [...new Set(names.filter((name) => name !== undefined))];
}

interface Written {
  readonly cluster?: string;
  readonly namespace: string;
  readonly labels?: JsonObject;
  readonly pod_security?: string;
  readonly quota?: JsonObject;
  readonly limits?: readonly Json[];
  readonly allow_from?: readonly Json[];
  readonly objects: Readonly<Record<string, JsonObject>>;
  readonly read?: ClusterConfig['read'];
  readonly units?: Readonly<Record<string, Partial<UnitTemplate>>>;
  readonly bind?: Partial<Omit<BindTemplate, 'objects'>> & {
    readonly objects?: Readonly<Record<string, JsonObject>>;
  };
  readonly unbind?: { readonly exec?: readonly ExecTemplate[] };
}

function templateOf(written: JsonObject): ObjectTemplate {
  const { ready, failed, after, wait, ignore, replace, keep, stop, ...object } = written;
  const { apiVersion, kind } = object;
  return {
    apiVersion: plainText(apiVersion),
    kind: plainText(kind),
    object: jsonOf(object),
    ready,
    failed,
    after: (after as readonly string[] | undefined) ?? [],
    wait: wait !== false,
    ignore: (ignore as readonly string[] | undefined) ?? [],
    replace: replace === true,
    keep: keep === true,
    stop: isObject(stop) ? stop : atRest.get(plainText(kind)),
  };
}

const atRest: ReadonlyMap<string, JsonObject> = new Map(
  ['Deployment', 'StatefulSet', 'ReplicaSet'].map((kind) => [kind, { spec: { replicas: 0 } }]),
);

const workloads: ReadonlySet<string> = new Set(['Deployment', 'StatefulSet', 'DaemonSet']);

function unitsOf(
  objects: Readonly<Record<string, ObjectTemplate>>,
  written: Written['units'],
): Readonly<Record<string, UnitTemplate>> {
  if (written) {
    const entries = Object.entries(written);
    return Object.fromEntries(entries.map(([unit, one]) => [unit, { ...one, object: one.object ?? unit }]));
  }
  const own = Object.entries(objects).filter(
    ([, { kind, ready }]) => workloads.has(kind) || Array.isArray(ready),
  );
  return Object.fromEntries(own.map(([name]) => [name, { object: name }]));
}

function mapValues<In, Out>(
  values: Readonly<Record<string, In>>,
  map: (value: In) => Out,
): Record<string, Out> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}
