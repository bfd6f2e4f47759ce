import { judge } from '../../../src/provisioners/kubernetes/rules/judge.ts';
import type { Beside, Declared } from '../../../src/provisioners/kubernetes/rules/verdict.ts';
import type { ClusterObject } from '../../../src/provisioners/kubernetes/cluster.ts';
import { ago, condition, deployment, now, object, pod, statefulSet, waitingFor } from './states.ts';

type Row = readonly [what: string, object: ClusterObject, means: string, beside?: Partial<Beside>];

function told(one: ClusterObject, declared: Declared = {}, beside: Partial<Beside> = {}): string {
  const verdict = judge(one, declared, { now, ...beside });
  return 'reason' in verdict ? `${verdict.state}: ${verdict.reason}` : verdict.state;
}

const late = condition('Progressing', 'False', 'ProgressDeadlineExceeded', 'has timed out progressing.');
const going = condition('Progressing', 'True', 'ReplicaSetUpdated', 'is progressing.');
const noImage = pod({ container: waitingFor('ImagePullBackOff', 'Back-off pulling image "x:1"') });
const job = (conditions: readonly object[], more: object = {}) =>
  object('batch/v1', 'Job', { spec: more, status: { failed: 1, conditions } });
const daemonSet = (status: object, type = 'RollingUpdate') =>
  object('apps/v1', 'DaemonSet', {
    spec: { updateStrategy: { type } },
    status: {
      observedGeneration: 2,
      desiredNumberScheduled: 2,
      currentNumberScheduled: 2,
      updatedNumberScheduled: 2,
      numberAvailable: 2,
      numberReady: 2,
      ...status,
    },
  });
const replicaSet = (status: object) =>
  object('apps/v1', 'ReplicaSet', {
    spec: { replicas: 1 },
    status: { replicas: 1, fullyLabeledReplicas: 1, availableReplicas: 1, readyReplicas: 1, ...status },
  });

const workloads: readonly Row[] = [
  ['a Deployment with all its pods', deployment({}, {}), 'ready'],
  [
    'a Deployment that was changed',
    deployment({}, { observedGeneration: 1 }),
    'waiting: was changed, and its controller has not seen that yet',
  ],
  ['a Deployment that is paused', deployment({ paused: true }, {}), 'stopped'],
  [
    'a Deployment beyond its deadline',
    deployment({}, { readyReplicas: 0 }, [late]),
    'failed: makes no progress (has timed out progressing.)',
  ],
  ['a Deployment without pods', deployment({}, { replicas: 0 }), 'waiting: 0 of 2 pods are made'],
  [
    'a Deployment with old pods',
    deployment({}, { updatedReplicas: 1 }),
    'waiting: 1 of 2 pods are of the new revision',
  ],
  ['a Deployment with a pod too many', deployment({}, { replicas: 3 }), 'waiting: 1 pods of before are left'],
  [
    'a Deployment of which a pod is not available',
    deployment({}, { availableReplicas: 1 }),
    'waiting: 1 of 2 pods are available',
  ],
  [
    'a Deployment of which a pod is not ready',
    deployment({}, { readyReplicas: 1 }),
    'waiting: 1 of 2 pods are ready',
  ],
  ['a Deployment in progress', deployment({}, {}, [going]), 'waiting: is being rolled out (is progressing.)'],
  ['a Deployment without a deadline', deployment({}, {}, [condition('Available', 'True')]), 'ready'],
  [
    'a Deployment that is not available',
    deployment({}, {}, [condition('Available', 'False')]),
    'waiting: is not available yet',
  ],
  ['a Deployment of no pods', deployment({ replicas: 0 }, { replicas: 0 }), 'stopped'],
  [
    'a Deployment of no pods, of which one is left',
    deployment({ replicas: 0 }, { replicas: 1 }),
    'waiting: is being stopped: 1 of its pods are left',
  ],
  [
    'a Deployment whose pod has no image',
    deployment({}, { readyReplicas: 1 }),
    'waiting: 1 of 2 pods are ready: pod db-0 does not get its image (ImagePullBackOff: Back-off pulling image "x:1")',
    { pods: [noImage] },
  ],
  ['a StatefulSet with all its pods', statefulSet({}, {}), 'ready'],
  [
    'a StatefulSet that nobody has looked at',
    statefulSet({}, { observedGeneration: undefined }),
    'waiting: was not looked at yet',
  ],
  [
    'a StatefulSet that was changed',
    statefulSet({}, { observedGeneration: 1 }),
    'waiting: was changed, and its controller has not seen that yet',
  ],
  [
    'a StatefulSet of which a pod is not ready',
    statefulSet({}, { readyReplicas: 1 }),
    'waiting: 1 of 2 pods are ready',
  ],
  [
    'a StatefulSet with a pod too many',
    statefulSet({}, { replicas: 3 }),
    'waiting: 1 pods of before are left',
  ],
  [
    'a StatefulSet in the middle of an update',
    statefulSet({}, { updatedReplicas: 1 }),
    'waiting: 1 of 2 pods are of the new revision',
  ],
  [
    'a StatefulSet whose update stops at a partition',
    statefulSet({ updateStrategy: { rollingUpdate: { partition: 1 } } }, { updatedReplicas: 1 }),
    'ready',
  ],
  [
    'a StatefulSet that is updated by deletion',
    statefulSet({ updateStrategy: { type: 'OnDelete' } }, { updatedReplicas: 0 }),
    'ready',
  ],
  [
    'a StatefulSet whose pods must last',
    statefulSet({ minReadySeconds: 5 }, { availableReplicas: 1 }),
    'waiting: 1 of 2 pods are available',
  ],
  ['a StatefulSet of no pods', statefulSet({ replicas: 0 }, { replicas: 0, readyReplicas: 0 }), 'stopped'],
  ['a DaemonSet with all its pods', daemonSet({}), 'ready'],
  [
    'a DaemonSet that nobody has looked at',
    daemonSet({ observedGeneration: undefined }),
    'waiting: was not looked at yet',
  ],
  [
    'a DaemonSet with old pods',
    daemonSet({ updatedNumberScheduled: 1 }),
    'waiting: 1 of 2 pods are of the new revision',
  ],
  ['a DaemonSet that is updated by deletion', daemonSet({ updatedNumberScheduled: 1 }, 'OnDelete'), 'ready'],
  [
    'a DaemonSet of which a pod is not available',
    daemonSet({ numberAvailable: 1 }),
    'waiting: 1 of 2 pods are available',
  ],
  ['a ReplicaSet with its pod', replicaSet({}), 'ready'],
  [
    'a ReplicaSet that may not make pods',
    replicaSet({ conditions: [condition('ReplicaFailure', 'True', 'FailedCreate', 'exceeded quota')] }),
    'waiting: cannot make its pods (exceeded quota)',
  ],
  ['a ReplicaSet without a ready pod', replicaSet({ readyReplicas: 0 }), 'waiting: 0 of 1 pods are ready'],
  ['a Job that has begun', job([]), 'waiting: is at work, and has failed 1 times'],
  ['a Job that is done', job([condition('Complete', 'True')]), 'ready'],
  ['a Job that is suspended', job([condition('Suspended', 'True')], { suspend: true }), 'stopped'],
  [
    'a Job that has failed',
    job([condition('Failed', 'True', 'BackoffLimitExceeded', 'it has reached the limit')]),
    'failed: has failed (BackoffLimitExceeded: it has reached the limit)',
  ],
];

const unplaced = [condition('PodScheduled', 'False', 'Unschedulable', '0/3 nodes are available')];
const crashed = {
  ...waitingFor('CrashLoopBackOff', 'back-off 5m0s'),
  lastState: { terminated: { exitCode: 1, reason: 'Error' } },
};
const starved = { ...crashed, lastState: { terminated: { exitCode: 137, reason: 'OOMKilled' } } };

const pods: readonly Row[] = [
  ['a pod that is ready', pod({ phase: 'Running', ready: true }), 'ready'],
  ['a pod that has done its work', pod({ phase: 'Succeeded' }), 'ready'],
  [
    'a pod that has failed',
    pod({ phase: 'Failed', more: { reason: 'Evicted', message: 'low on disk' } }),
    'failed: has failed (Evicted: low on disk)',
  ],
  [
    'a pod that is being started',
    pod({ container: waitingFor('ContainerCreating') }),
    'waiting: is being started',
  ],
  ['a pod that is not ready yet', pod({ phase: 'Running' }), 'waiting: runs and is not ready yet'],
  [
    'a pod without a place',
    pod({ conditions: unplaced }),
    'waiting: has no node to run on (Unschedulable: 0/3 nodes are available)',
  ],
  [
    'a pod without a place for long',
    pod({ conditions: unplaced, seconds: 300 }),
    'failed: has no node to run on (Unschedulable: 0/3 nodes are available)',
  ],
  [
    'a pod that crashes',
    pod({ container: crashed }),
    'waiting: has a container that ends again and again (exit code 1)',
  ],
  [
    'a pod that crashes for long',
    pod({ container: crashed, seconds: 300 }),
    'failed: has a container that ends again and again (exit code 1)',
  ],
  [
    'a pod that needs more memory',
    pod({ container: starved }),
    'waiting: has a container that ends again and again (it had not enough memory)',
  ],
  [
    'a pod that has just crashed',
    pod({ container: { state: { terminated: { exitCode: 2, reason: 'Error' } } } }),
    'waiting: has a container that ended (exit code 2)',
  ],
  [
    'a pod without its image',
    noImage,
    'waiting: does not get its image (ImagePullBackOff: Back-off pulling image "x:1")',
  ],
  [
    'a pod without its image, when less is waited for',
    noImage,
    'failed: does not get its image (ImagePullBackOff: Back-off pulling image "x:1")',
    { giveUpMs: 5000 },
  ],
  [
    'a pod with an image that has no name',
    pod({ container: waitingFor('InvalidImageName') }),
    'waiting: does not get its image (InvalidImageName)',
  ],
  [
    'a pod with an image that has no name, after a minute',
    pod({ container: waitingFor('InvalidImageName'), seconds: 60 }),
    'failed: does not get its image (InvalidImageName)',
  ],
  [
    'a pod that may not pull, after a minute',
    pod({ container: waitingFor('ErrImageNeverPull'), seconds: 60 }),
    'failed: does not get its image (ErrImageNeverPull)',
  ],
  [
    'a pod without its Secret, after a minute',
    pod({ container: waitingFor('CreateContainerConfigError', 'secret "x" not found'), seconds: 60 }),
    'failed: cannot start (CreateContainerConfigError: secret "x" not found)',
  ],
  [
    'a pod of before what is awaited',
    pod({ container: waitingFor('InvalidImageName'), seconds: 600 }),
    'waiting: does not get its image (InvalidImageName)',
    { since: new Date(ago(20)) },
  ],
];

test.each([...workloads, ...pods].map((row) => ({ what: row[0], row })))(
  'The judge of readiness finds out how it is with $what.',
  ({ row: [, one, means, beside] }) => {
    expect(told(one, {}, beside)).toBe(means);
  },
);

test('Only pods of the newest revision that live say why what made them is not ready.', () => {
  const old = pod({ name: 'db-9', revision: 'db-1', seconds: 900, container: crashed });
  const ended = pod({ name: 'db-8', phase: 'Failed', container: crashed });
  const fine = pod({ name: 'db-1', phase: 'Running', seconds: 20 });
  const set = statefulSet({}, { readyReplicas: 0 });
  expect(told(set, {}, { pods: [old, ended, fine] })).toBe('waiting: 0 of 2 pods are ready');
  expect(told(set, {}, { pods: [old, ended, fine, noImage] })).toMatch(
    /are ready: pod db-0 does not get its image/,
  );
});
