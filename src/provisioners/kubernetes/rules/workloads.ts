import { memberOf, type JsonObject } from '../../../broker/json.ts';
import type { ClusterObject } from '../cluster.ts';
import { conditionOf, failed, numberOf, ready, said, stopped, waiting } from './verdict.ts';
import type { Verdict } from './verdict.ts';

/**
 * Whether what makes pods has those that it shall have. The numbers are those of kstatus (cli-utils pkg/kstatus), with
 * what it leaves open: a StatefulSet that nobody has looked at yet is not ready, however its numbers are.
 */
export function judgeDeployment(object: ClusterObject): Verdict {
  const { spec, status, wanted } = numbersOf(object);
  if (spec['paused'] === true) return stopped;
  const progress = conditionOf(object, 'Progressing');
  if (progress?.['reason'] === 'ProgressDeadlineExceeded') {
    return failed(`makes no progress${said(progress['message'])}`);
  }
  if (wanted === 0) return atRest(status);
  const updated = numberOf(status, 'updatedReplicas', 0);
  const problem =
    few(numberOf(status, 'replicas', 0), wanted, 'made') ??
    few(updated, wanted, 'of the new revision') ??
    leftOver(numberOf(status, 'replicas', 0), wanted) ??
    few(numberOf(status, 'availableReplicas', 0), updated, 'available') ??
    few(numberOf(status, 'readyReplicas', 0), wanted, 'ready');
  if (problem) return problem;
  if (progress && progress['reason'] !== 'NewReplicaSetAvailable') {
    return waiting(`is being rolled out${said(progress['message'])}`);
  }
  const available = conditionOf(object, 'Available');
  return available?.['status'] === 'True'
    ? ready
    : waiting(`is not available yet${said(available?.['message'])}`);
}

export function judgeStatefulSet(object: ClusterObject): Verdict {
  const { spec, status, wanted } = numbersOf(object);
  if (typeof status['observedGeneration'] !== 'number') return waiting('was not looked at yet');
  if (wanted === 0) return atRest(status);
  const strategy = memberOf(spec, 'updateStrategy');
  const pods = numberOf(status, 'readyReplicas', 0);
  if (strategy['type'] === 'OnDelete') return few(pods, wanted, 'ready') ?? ready;
  const kept = numberOf(memberOf(strategy, 'rollingUpdate'), 'partition', 0);
  const minimum = numberOf(spec, 'minReadySeconds', 0);
  return (
    few(pods, wanted, 'ready') ??
    few(numberOf(status, 'replicas', 0), wanted, 'made') ??
    leftOver(numberOf(status, 'replicas', 0), wanted) ??
    few(numberOf(status, 'updatedReplicas', 0), Math.max(wanted - kept, 0), 'of the new revision') ??
    (minimum > 0 ? few(numberOf(status, 'availableReplicas', 0), wanted, 'available') : undefined) ??
    ready
  );
}

export function judgeDaemonSet(object: ClusterObject): Verdict {
  const { spec, status } = numbersOf(object);
  const wanted = numberOf(status, 'desiredNumberScheduled', -1);
  if (typeof status['observedGeneration'] !== 'number' || wanted < 0) return waiting('was not looked at yet');
  const onDelete = memberOf(spec, 'updateStrategy')['type'] === 'OnDelete';
  return (
    few(numberOf(status, 'currentNumberScheduled', 0), wanted, 'made') ??
    (onDelete
      ? undefined
      : few(numberOf(status, 'updatedNumberScheduled', 0), wanted, 'of the new revision')) ??
    few(numberOf(status, 'numberAvailable', 0), wanted, 'available') ??
    few(numberOf(status, 'numberReady', 0), wanted, 'ready') ??
    ready
  );
}

export function judgeReplicaSet(object: ClusterObject): Verdict {
  const { status, wanted } = numbersOf(object);
  const failure = conditionOf(object, 'ReplicaFailure');
  if (failure?.['status'] === 'True') return waiting(`cannot make its pods${said(failure['message'])}`);
  if (wanted === 0) return atRest(status);
  return (
    few(numberOf(status, 'fullyLabeledReplicas', 0), wanted, 'made') ??
    few(numberOf(status, 'availableReplicas', 0), wanted, 'available') ??
    few(numberOf(status, 'readyReplicas', 0), wanted, 'ready') ??
    leftOver(numberOf(status, 'replicas', 0), wanted) ??
    ready
  );
}

/** Ready is a Job that has done its work, not one that has begun. */
export function judgeJob(object: ClusterObject): Verdict {
  const over = conditionOf(object, 'Failed');
  if (over?.['status'] === 'True') return failed(`has failed${said(over['reason'], over['message'])}`);
  if (conditionOf(object, 'Complete')?.['status'] === 'True') return ready;
  const { spec, status } = numbersOf(object);
  if (spec['suspend'] === true) return stopped;
  const times = numberOf(status, 'failed', 0);
  return waiting(times > 0 ? `is at work, and has failed ${times} times` : 'is at work');
}

function numbersOf(object: ClusterObject): {
  readonly spec: JsonObject;
  readonly status: JsonObject;
  readonly wanted: number;
} {
  const spec = memberOf(object, 'spec');
  return { spec, status: memberOf(object, 'status'), wanted: numberOf(spec, 'replicas', 1) };
}

function atRest(status: JsonObject): Verdict {
  const left = numberOf(status, 'replicas', 0);
  return left === 0 ? stopped : waiting(`is being stopped: ${left} of its pods are left`);
}

function few(there: number, wanted: number, how: string): Verdict | undefined {
  return there < wanted ? waiting(`${there} of ${wanted} pods are ${how}`) : undefined;
}

function leftOver(there: number, wanted: number): Verdict | undefined {
  return there > wanted ? waiting(`${there - wanted} pods of before are left`) : undefined;
}
