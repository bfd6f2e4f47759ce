import { Failure } from '../../../broker/errors.ts';
import { isObject, type Json, type JsonObject, jsonOf } from '../../../broker/json.ts';
import { render } from '../../../broker/template.ts';
import type { ClusterObject } from '../cluster.ts';
import { type ClusterContext, filling } from '../context.ts';
import { applyOurs } from './apply.ts';
import { asking } from './asking.ts';
import { asTexts } from './fill.ts';
import { idAnnotation, labelsOf } from './labels.ts';

/** Makes the namespace of an instance that has one for itself, and what keeps it apart from others. */
export async function makeSpace(context: ClusterContext): Promise<void> {
  for (const object of spaceOf(context)) await applyOurs(context, object);
  // The cluster makes this one, so it is changed whosever it is. Pods that need no token of the cluster get none.
  const account = objectOf(context, 'v1', 'ServiceAccount', 'default', {
    automountServiceAccountToken: false,
  });
  const { cluster, work } = context;
  await asking('change', () => cluster.apply(account, { force: true }, work.signal));
}

/** Who has taken the namespace away has taken what was kept in it: that is told, and not made up for. @throws Failure */
export async function requireSpace({ cluster, work, place }: ClusterContext): Promise<void> {
  const address = { apiVersion: 'v1', kind: 'Namespace', name: place.namespace };
  const found = await asking('read', () => cluster.get(address, work.signal));
  if (!found) throw new Failure('no-namespace', 'Its namespace is gone from the cluster.');
}

function spaceOf(context: ClusterContext): readonly ClusterObject[] {
  const { space } = context.config;
  const fill = <Template extends Json>(template: Template) =>
    filling(() => render(template, context.roots)) as Template;
  const { podSecurity } = space;
  const labels = { ...asTexts(fill(space.labels)), 'pod-security.kubernetes.io/enforce': podSecurity };
  const name = context.place.namespace;
  return [
    namespaceOf(context, name, labels),
    policyOf(context, fill(space.allowFrom)),
    ...(space.quota
      ? [objectOf(context, 'v1', 'ResourceQuota', 'purveyor', { spec: { hard: asTexts(fill(space.quota)) } })]
      : []),
    ...(space.limits
      ? [objectOf(context, 'v1', 'LimitRange', 'purveyor', { spec: { limits: fill(space.limits) } })]
      : []),
  ];
}

function namespaceOf(context: ClusterContext, name: string, labels: JsonObject): ClusterObject {
  const annotations = { [idAnnotation]: context.work.instance.id };
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { ...labels, ...labelsOf(context) }, annotations },
  };
}

/** Nobody but its own pods, and who is named, reaches the pods of the instance. */
function policyOf(context: ClusterContext, allowed: readonly Json[]): ClusterObject {
  const from = [{ podSelector: {} }, ...allowed.filter(isObject).map(peerOf)];
  return objectOf(context, 'networking.k8s.io/v1', 'NetworkPolicy', 'purveyor', {
    spec: { podSelector: {}, policyTypes: ['Ingress'], ingress: [{ from }] },
  });
}

function peerOf({ namespaces, pods, cidr }: JsonObject): JsonObject {
  if (typeof cidr === 'string') return { ipBlock: { cidr } };
  return jsonOf({ namespaceSelector: selectorOf(namespaces), podSelector: selectorOf(pods) });
}

/** An empty text stands for any value. */
function selectorOf(labels: Json | undefined): JsonObject | undefined {
  if (!isObject(labels)) return undefined;
  const entries = Object.entries(asTexts(labels));
  const [values, names] = [
    entries.filter(([, value]) => value !== ''),
    entries.filter(([, value]) => value === ''),
  ];
  return jsonOf({
    matchLabels: values.length > 0 ? Object.fromEntries(values) : undefined,
    matchExpressions: names.length > 0 ? names.map(([key]) => ({ key, operator: 'Exists' })) : undefined,
  });
}

function objectOf(
  context: ClusterContext,
  apiVersion: string,
  kind: string,
  name: string,
  rest: JsonObject,
): ClusterObject {
  const { namespace } = context.place;
  return { apiVersion, kind, metadata: { name, namespace, labels: labelsOf(context) }, ...rest };
}
