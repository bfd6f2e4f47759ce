import type { ClusterObject } from '../../../src/provisioners/kubernetes/cluster.ts';

/** Objects as controllers leave them; what an API server writes besides is left out. */
export const now = new Date('2026-03-01T12:00:00Z');

/** A time so many seconds ago, as objects have it. */
export function ago(seconds: number): string {
  return new Date(now.getTime() - seconds * 1000).toISOString().replace('.000', '');
}

export function object(
  apiVersion: string,
  kind: string,
  members: Readonly<Record<string, unknown>> = {},
): ClusterObject {
  const metadata = { name: 'db', generation: 2, resourceVersion: '7', ...(members['metadata'] as object) };
  return JSON.parse(JSON.stringify({ apiVersion, kind, ...members, metadata })) as ClusterObject;
}

export function condition(type: string, status: string, reason = '', message = '', seconds = 600): object {
  return { type, status, reason, message, lastTransitionTime: ago(seconds) };
}

export function deployment(
  spec: object,
  status: object,
  conditions: readonly object[] = rolledOut,
): ClusterObject {
  return object('apps/v1', 'Deployment', {
    spec: { replicas: 2, ...spec },
    status: { ...healthy, availableReplicas: 2, ...status, conditions },
  });
}

const healthy = { observedGeneration: 2, replicas: 2, updatedReplicas: 2, readyReplicas: 2 };
const rolledOut = [
  condition('Available', 'True', 'MinimumReplicasAvailable'),
  condition('Progressing', 'True', 'NewReplicaSetAvailable'),
];

export function statefulSet(spec: object, status: object): ClusterObject {
  return object('apps/v1', 'StatefulSet', {
    spec: {
      replicas: 2,
      podManagementPolicy: 'OrderedReady',
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      ...spec,
    },
    status: { ...healthy, currentReplicas: 2, currentRevision: 'db-1', updateRevision: 'db-2', ...status },
  });
}

interface PodState {
  readonly name?: string;
  readonly revision?: string;
  readonly phase?: string;
  readonly ready?: boolean;
  readonly seconds?: number;
  readonly conditions?: readonly object[];
  readonly container?: object;
  readonly more?: object;
}

export function pod({
  name = 'db-0',
  revision = 'db-2',
  phase = 'Pending',
  ready = false,
  seconds = 10,
  conditions = [],
  container = {},
  more = {},
}: PodState): ClusterObject {
  return object('v1', 'Pod', {
    metadata: {
      name,
      creationTimestamp: ago(seconds),
      labels: { 'controller-revision-hash': revision },
    },
    status: {
      phase,
      conditions: [condition('Ready', ready ? 'True' : 'False', '', '', seconds), ...conditions],
      containerStatuses: [container],
      ...more,
    },
  });
}

export function waitingFor(reason: string, message = ''): object {
  return { state: { waiting: { reason, message } } };
}
