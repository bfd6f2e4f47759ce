/** By group and kind, whatever the version; `rules` has the rule of each. */
const judged = [
  'apps Deployment',
  'apps StatefulSet',
  'apps DaemonSet',
  'apps ReplicaSet',
  'batch Job',
  'batch CronJob',
  ' Pod',
  ' PersistentVolumeClaim',
  ' Service',
  'networking.k8s.io Ingress',
  'policy PodDisruptionBudget',
  'autoscaling HorizontalPodAutoscaler',
  ' Secret',
  ' ConfigMap',
  ' ServiceAccount',
  ' ResourceQuota',
  ' LimitRange',
  'rbac.authorization.k8s.io Role',
  'rbac.authorization.k8s.io RoleBinding',
  'networking.k8s.io NetworkPolicy',
] as const;

export type JudgedKind = (typeof judged)[number];

/** Kinds whose objects are ready by a rule of ours, by their groups; of others an offering says when they are. */
export function judgedKinds(): readonly (readonly [group: string, kinds: readonly string[]])[] {
  const names = judged.map((key) => key.split(' '));
  const groups = Map.groupBy(names, ([group = '']) => group);
  return [...groups].map(([group, all]) => [group, all.map(([, kind = '']) => kind)]);
}
