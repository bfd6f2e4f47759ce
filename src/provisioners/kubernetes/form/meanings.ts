const ofObjects = {
  '<name>.apiVersion': 'The group and version of its kind',
  '<name>.kind': 'Its kind. Objects of the whole cluster, such as a ClusterRole, are refused',
  '<name>.metadata':
    'At least its name; the namespace is filled in. Of the other members whatever the kind has',
  '<name>.metadata.name': 'Its name in the cluster',
  '<name>.metadata.namespace': 'Never said here: `config.namespace` says it',
  '<name>.metadata.labels': 'Labels beside those of the broker',
  '<name>.metadata.annotations': 'Annotations beside those of the broker',
  '<name>.ready':
    '`exists`, or conditions that must all hold. Kinds of Kubernetes itself have rules of their own; of others it must be said',
  '<name>.ready[].condition': 'A type of `status.conditions`, which must be True',
  '<name>.ready[].path': 'Where to look in the object',
  '<name>.ready[].equals': 'What must stand there',
  '<name>.ready[].in': 'What may stand there',
  '<name>.ready[].present': 'Whether anything must stand there',
  '<name>.ready[].at_least': 'The least number that may stand there',
  '<name>.failed': 'Conditions of which one that holds ends the operation',
  '<name>.failed[].condition': 'As for `ready`',
  '<name>.failed[].path': 'As for `ready`',
  '<name>.failed[].equals': 'As for `ready`',
  '<name>.failed[].in': 'As for `ready`',
  '<name>.failed[].present': 'As for `ready`',
  '<name>.failed[].at_least': 'As for `ready`',
  '<name>.failed[].text': 'Where in the object the sentence stands that users are told',
  '<name>.after':
    'Objects that must be ready before it is made, beside those that its templates mention. It goes before them',
  '<name>.wait': 'With false nothing waits until it is ready',
  '<name>.ignore': 'Fields that others change once it is made: `spec.replicas` where something scales it',
  '<name>.replace': 'With true it is removed and made anew where the cluster does not let it be changed',
  '<name>.keep': 'With true it stays in the cluster when the instance goes',
  '<name>.stop':
    'What is merged into it while the instance is stopped; of a Deployment or StatefulSet, no replicas',
} as const;

const ofReads = {
  '<name>.of': 'The object: its name in `objects`, or its apiVersion, kind and name in the same namespace',
  '<name>.of.apiVersion': 'The group and version of its kind',
  '<name>.of.kind': 'Its kind',
  '<name>.of.name': 'Its name in the cluster',
  '<name>.path': 'Where to look in it: `data.password`, `status.conditions[type=Ready].message`',
  '<name>.decode': 'What stands there is base64, as in Secrets',
  '<name>.optional': 'With true an empty text is read where there is nothing; otherwise it is waited for',
} as const;

const ofExecs = {
  '[].unit': 'In a pod of which unit',
  '[].run': 'The program and its arguments. They stand in addresses and logs of the cluster: no secrets here',
  '[].send': 'What it gets on its standard input; secrets may stand here. It must not wait for the end of it',
  '[].expect': 'What it must write. Without it, ending with 0 is enough',
} as const;

/** What each key of `config` means, by its path. */
export const meanings: Readonly<Record<string, string>> = {
  'config.cluster': 'The name of one of the configured clusters; absent: the only one',
  'config.namespace': '`own`: each instance has a namespace of its own. Or the name of one that exists',
  'config.labels': 'Labels of an own namespace',
  'config.pod_security': 'The Pod Security level that an own namespace enforces',
  'config.quota': 'What all of an own namespace may have at most: the `hard` of its ResourceQuota',
  'config.limits': 'Of an own namespace: the `limits` of its LimitRange',
  'config.allow_from':
    'Who beside its own pods may reach the pods of an own namespace. Without it, nobody may',
  'config.allow_from[].namespaces': 'Namespaces with these labels; an empty text stands for any value',
  'config.allow_from[].pods': 'Pods with these labels: of these namespaces, or of the own one',
  'config.allow_from[].cidr': 'Addresses, such as 10.0.0.0/8',
  'config.objects':
    'What an instance is: objects of any kind in a namespace, as they would be applied, and some words beside their own fields',
  ...below('config.objects.', ofObjects),
  'config.read': 'What is read when all is ready, `{{read.<name>}}`; it is kept, encrypted',
  ...below('config.read.', ofReads),
  'config.units':
    'What is watched and operated: by default Deployments, StatefulSets and DaemonSets, and what says `ready` with conditions',
  'config.units.<name>.object': 'Its name in `objects`; by default that of the unit',
  'config.units.<name>.container': 'The container of its pods in which commands run and whose log is read',
  'config.units.<name>.pods': 'The labels of its pods, where they are made by something else than the broker',
  'config.units.<name>.address': 'Where applications find it, `host:port`',
  'config.bind': 'What each binding has of its own. `{{binding.x}}` and secrets per binding can be used',
  'config.bind.objects': 'Objects of a binding; they go with it',
  ...below('config.bind.objects.', ofObjects),
  'config.bind.read': 'What is read when they are ready',
  ...below('config.bind.read.', ofReads),
  'config.bind.exec': 'What runs in pods of the instance for each new binding, one after another',
  ...below('config.bind.exec', ofExecs),
  'config.unbind': 'What is done when a binding goes, before its objects are removed',
  'config.unbind.exec': 'As for `bind`',
  ...below('config.unbind.exec', ofExecs),
};

function below(place: string, words: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(words).map(([word, meaning]) => [`${place}${word}`, meaning]));
}
