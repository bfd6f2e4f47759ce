import type { ServicePlan } from '../../broker/catalog.ts';
import type { JsonObject } from '../../broker/json.ts';
import { expressionsIn, renderKnown } from '../../broker/template.ts';
import type { Kind } from './cluster.ts';
import { configOf } from './form/config.ts';
import { needsOfPlan, rulesOf } from './rules/needs.ts';
import type { Need } from './rules/rights.ts';

export interface RoleSettings {
  /** Who gets the roles. */
  readonly account: { readonly namespace: string; readonly name: string };
  /** What a kind is called in roles. */
  readonly pluralOf: (kind: Kind) => string;
  /** Operators run commands in pods of instances. */
  readonly hasExec: boolean;
}

/**
 * The roles that a broker needs for these plans, as objects to be applied: for namespaces that are made for instances in
 * all of the cluster, for namespaces that are named in these alone.
 */
export function rolesOf(plans: readonly ServicePlan[], settings: RoleSettings): readonly JsonObject[] {
  const everywhere: Need[] = [];
  const named = new Map<string, Need[]>();
  for (const plan of inClusters(plans)) {
    const namespace = namespaceOf(plan);
    const isOwn = namespace === 'own';
    const needs = needsOfPlan(configOf(plan), isOwn, settings.pluralOf, settings.hasExec);
    everywhere.push(...needs.beside);
    if (isOwn || namespace === undefined) everywhere.push(...needs.within);
    else named.set(namespace, [...(named.get(namespace) ?? []), ...needs.within]);
  }
  if (everywhere.length === 0 && named.size === 0) return [];
  return [
    ...roleAndBinding('ClusterRole', [...rulesOf(everywhere), ...identity(everywhere)], settings),
    ...[...named].flatMap(([namespace, needs]) =>
      roleAndBinding('Role', rulesOf(needs), settings, namespace),
    ),
  ];
}

/** Its uid says which cluster it is. Who may read all namespaces may read this one. */
function identity(needs: readonly Need[]): readonly JsonObject[] {
  if (needs.some(({ resource }) => resource === 'namespaces')) return [];
  return [{ apiGroups: [''], resources: ['namespaces'], resourceNames: ['kube-system'], verbs: ['get'] }];
}

/** Undefined: that depends on the instance. */
function namespaceOf(plan: ServicePlan): string | undefined {
  const { namespace } = configOf(plan);
  if (expressionsIn(namespace).length === 0) return namespace;
  const known = renderKnown(namespace, { plan: plan.making.settings });
  return typeof known === 'string' ? known : undefined;
}

function roleAndBinding(
  kind: 'ClusterRole' | 'Role',
  rules: readonly JsonObject[],
  { account }: RoleSettings,
  namespace?: string,
): readonly JsonObject[] {
  const metadata = { name: 'purveyor', ...(namespace !== undefined && { namespace }) };
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  return [
    { apiVersion, kind, metadata, rules },
    {
      apiVersion,
      kind: `${kind}Binding`,
      metadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: 'purveyor' },
      subjects: [{ kind: 'ServiceAccount', ...account }],
    },
  ];
}

/** All kinds that the plans name, each once. */
export function kindsNamedBy(plans: readonly ServicePlan[]): readonly Kind[] {
  const kinds = inClusters(plans).flatMap(kindsIn);
  return [...new Map(kinds.map((kind) => [`${kind.apiVersion} ${kind.kind}`, kind])).values()];
}

function inClusters(plans: readonly ServicePlan[]): readonly ServicePlan[] {
  return plans.filter(({ making }) => making.provisioner === 'kubernetes');
}

function kindsIn(plan: ServicePlan): readonly Kind[] {
  const { objects, bind, read } = configOf(plan);
  const others = [...Object.values(read), ...Object.values(bind.read)].flatMap(({ of }) =>
    typeof of === 'string' ? [] : [of],
  );
  return [...Object.values(objects), ...Object.values(bind.objects), ...others].map(
    ({ apiVersion, kind }) => ({ apiVersion, kind }),
  );
}
