import { memberOf, sameJson, type Json } from '../../../broker/json.ts';
import type { ClusterObject, Kind } from '../cluster.ts';
import { groupOf } from './apply-set.ts';
import type { JudgedKind } from './judged-kinds.ts';
import { readPath } from './paths.ts';
import { judgePod, worstPod } from './pods.ts';
import { conditionOf, failed, givesUp, listOf, ready, said, textOf, waiting } from './verdict.ts';
import type { Beside, Condition, Declared, Verdict } from './verdict.ts';
import { judgeDaemonSet, judgeDeployment, judgeJob, judgeReplicaSet, judgeStatefulSet } from './workloads.ts';

/**
 * Is an object ready? What is seen of an older generation says nothing; what declares itself stalled has failed; the
 * rest is said by the offering, or by the table of the kinds. A kind that is in neither is ready when its condition
 * Ready says so, and not before it has one.
 */
export function judge(object: ClusterObject, declared: Declared, beside: Beside): Verdict {
  return unsettled(object, declared, beside) ?? troubled(object) ?? judged(object, declared, beside);
}

/** The deed goes before the word: what is old, or was not looked at since it was changed. */
function unsettled(object: ClusterObject, declared: Declared, beside: Beside): Verdict | undefined {
  const { deletionTimestamp, generation, resourceVersion, finalizers } = object.metadata;
  if (deletionTimestamp !== undefined) {
    const names = Array.isArray(finalizers) ? finalizers.join(', ') : '';
    return waiting(`is being removed${names && `, and waits for ${names}`}`);
  }
  const { observedGeneration } = memberOf(object, 'status');
  if (typeof observedGeneration === 'number') {
    return typeof generation === 'number' && observedGeneration < generation
      ? waiting('was changed, and its controller has not seen that yet')
      : undefined;
  }
  const hasStatus =
    Array.isArray(declared.ready) || (declared.ready === undefined && ruleOf(object) === undefined);
  const { appliedVersion, since, now } = beside;
  const untouched = appliedVersion !== undefined && appliedVersion === resourceVersion;
  // Without observedGeneration only another version shows that its controller has looked; or 10 s without one.
  return hasStatus && untouched && since && now.getTime() - since.getTime() < 10_000
    ? waiting('was changed, and nothing has come of it yet')
    : undefined;
}

function troubled(object: ClusterObject): Verdict | undefined {
  const stalled = conditionOf(object, 'Stalled');
  if (stalled?.['status'] === 'True')
    return failed(`is stalled${said(stalled['reason'], stalled['message'])}`);
  const busy = conditionOf(object, 'Reconciling');
  return busy?.['status'] === 'True'
    ? waiting(`is being worked on${said(busy['reason'], busy['message'])}`)
    : undefined;
}

function judged(object: ClusterObject, declared: Declared, beside: Beside): Verdict {
  const over = declared.failed?.find((condition) => holds(object, condition));
  if (over) return failed(failureText(object, over));
  const verdict = byRule(object, declared, beside);
  if (verdict.state !== 'waiting' || !beside.pods) return verdict;
  const pod = worstPod(beside.pods, beside);
  return pod && 'reason' in pod ? { state: pod.state, reason: `${verdict.reason}: ${pod.reason}` } : verdict;
}

function byRule(object: ClusterObject, { ready: wanted, read }: Declared, beside: Beside): Verdict {
  if (wanted === 'exists') return ready;
  if (wanted === 'endpoints') return judgeEndpoints(beside.endpoints ?? []);
  if (Array.isArray(wanted)) {
    const missing = wanted.find((condition) => !holds(object, condition));
    return missing ? waiting(notYet(object, missing)) : ready;
  }
  const rule = ruleOf(object);
  return rule ? rule(object, beside, read ?? false) : judgeCondition(object, 'Ready');
}

type Rule = (object: ClusterObject, beside: Beside, read: boolean) => Verdict;

function there(): Verdict {
  return ready;
}

/** By group and kind, whatever the version. */
const rules: Readonly<Record<JudgedKind, Rule>> = {
  'apps Deployment': judgeDeployment,
  'apps StatefulSet': judgeStatefulSet,
  'apps DaemonSet': judgeDaemonSet,
  'apps ReplicaSet': judgeReplicaSet,
  'batch Job': judgeJob,
  'batch CronJob': there,
  ' Pod': judgePod,
  ' PersistentVolumeClaim': judgeClaim,
  ' Service': judgeService,
  'networking.k8s.io Ingress': judgeIngress,
  'policy PodDisruptionBudget': (object) =>
    typeof memberOf(object, 'status')['observedGeneration'] === 'number'
      ? ready
      : waiting('was not looked at yet'),
  'autoscaling HorizontalPodAutoscaler': there,
  ' Secret': there,
  ' ConfigMap': there,
  ' ServiceAccount': there,
  ' ResourceQuota': there,
  ' LimitRange': there,
  'rbac.authorization.k8s.io Role': there,
  'rbac.authorization.k8s.io RoleBinding': there,
  'networking.k8s.io NetworkPolicy': there,
};

function ruleOf(kind: Kind): Rule | undefined {
  const key = `${groupOf(kind)} ${kind.kind}`;
  return Object.hasOwn(rules, key) ? rules[key as JudgedKind] : undefined;
}

function judgeClaim(object: ClusterObject, beside: Beside): Verdict {
  const { phase } = memberOf(object, 'status');
  if (phase === 'Bound') return ready;
  if (phase === 'Lost') return failed('has lost its volume');
  // Bound by the first pod that uses it: to wait for it before that one is made would be for ever.
  if (beside.storageClass?.['volumeBindingMode'] === 'WaitForFirstConsumer') return ready;
  const reason = 'has no volume yet';
  return givesUp(object.metadata['creationTimestamp'], beside) ? failed(reason) : waiting(reason);
}

function judgeService(object: ClusterObject): Verdict {
  if (memberOf(object, 'spec')['type'] !== 'LoadBalancer') return ready;
  return hasIngress(object) ? ready : waiting('has no address of a load balancer yet');
}

function judgeIngress(object: ClusterObject, _beside: Beside, read: boolean): Verdict {
  return hasIngress(object) || !read ? ready : waiting('has no address yet');
}

function hasIngress(object: ClusterObject): boolean {
  const balancer = memberOf(memberOf(object, 'status'), 'loadBalancer');
  return listOf(balancer, 'ingress').some(({ ip, hostname }) => Boolean(ip) || Boolean(hostname));
}

/** One ready address, in EndpointSlices (where no word about it means ready) or in Endpoints. */
function judgeEndpoints(objects: readonly ClusterObject[]): Verdict {
  const some = objects.some(
    (object) =>
      listOf(object, 'endpoints').some((one) => memberOf(one, 'conditions')['ready'] !== false) ||
      listOf(object, 'subsets').some((subset) => listOf(subset, 'addresses').length > 0),
  );
  return some ? ready : waiting('has no pod behind it that is ready');
}

function judgeCondition(object: ClusterObject, type: string): Verdict {
  return conditionOf(object, type)?.['status'] === 'True' ? ready : waiting(conditionText(object, type));
}

function conditionText(object: ClusterObject, type: string): string {
  const found = conditionOf(object, type);
  if (!found) return `has no condition ${type} yet`;
  return `its condition ${type} is ${textOf(found['status'])}${said(found['reason'], found['message'])}`;
}

function holds(object: ClusterObject, condition: Condition): boolean {
  if ('condition' in condition) return conditionOf(object, condition.condition)?.['status'] === 'True';
  const value = readPath(object, condition.path);
  if ('equals' in condition) return sameJson(value, condition.equals);
  if ('in' in condition) return condition.in.some((one) => sameJson(value, one));
  if ('present' in condition) return isPresent(value) === condition.present;
  return typeof value === 'number' && value >= condition.at_least;
}

function isPresent(value: Json | undefined): boolean {
  return value !== undefined && value !== null && value !== '';
}

function notYet(object: ClusterObject, condition: Condition): string {
  if ('condition' in condition) return conditionText(object, condition.condition);
  const value = readPath(object, condition.path);
  return isPresent(value)
    ? `${condition.path} is ${JSON.stringify(value)}`
    : `${condition.path} is not there yet`;
}

function failureText(object: ClusterObject, condition: Condition & { readonly text?: string }): string {
  const text = condition.text === undefined ? undefined : readPath(object, condition.text);
  if (typeof text === 'string' && text !== '') return text;
  return 'condition' in condition ? conditionText(object, condition.condition) : notYet(object, condition);
}
