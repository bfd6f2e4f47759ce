import { setTimeout as pause } from 'node:timers/promises';
import { isObject, type Json, type JsonObject } from '../../../src/broker/json.ts';
import type { Ask } from './ask.ts';

/**
 * In the place of kubelets and of who hands out disks and addresses: pods are ready at once and gone at once, claims are
 * bound, services of the type LoadBalancer have an address. What becomes of a pod is in the tag of its first image:
 * `:unknown` is not pulled, `:crash` crashes again and again, `:never` is not ready, `:fails` ends with 1. Pods that
 * shall end (of a Job) end well.
 */
export function startStandIn(ask: Ask): { close(): Promise<void> } {
  let isOpen = true;
  async function look(): Promise<void> {
    for (const pod of await listed('/api/v1/pods')) await tendPod(ask, pod);
    for (const claim of await listed('/api/v1/persistentvolumeclaims'))
      if (statusOf(claim)['phase'] !== 'Bound')
        await patchStatus(ask, claim, 'persistentvolumeclaims', { phase: 'Bound' });
    for (const service of await listed('/api/v1/services')) await tendService(ask, service);
  }
  async function listed(path: string): Promise<readonly JsonObject[]> {
    // From the memory of the API server, which need not ask etcd first: what is older than that is looked at again soon.
    const { items } = (await ask('GET', `${path}?resourceVersion=0`)).body;
    return Array.isArray(items) ? items.filter(isObject) : [];
  }
  const ended = (async () => {
    await addNode(ask);
    while (isOpen) {
      const began = performance.now();
      // Of an API server that is away for a while it thinks nothing.
      await look().catch(() => undefined);
      await pause(Math.max(50, 3 * (performance.now() - began)));
    }
  })();
  return {
    async close() {
      isOpen = false;
      await ended;
    },
  };
}

const node = 'stand-in';

async function addNode(ask: Ask): Promise<void> {
  await ask('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: node } });
  // Without its kubelet it gets the taint of a node that is not ready.
  await ask('PATCH', `/api/v1/nodes/${node}`, { spec: { taints: null } }, merge);
}

const merge = 'application/merge-patch+json';

async function tendPod(ask: Ask, pod: JsonObject): Promise<void> {
  const path = `/api/v1/namespaces/${textAt(pod, 'namespace')}/pods/${textAt(pod, 'name')}`;
  const spec = memberAt(pod, 'spec');
  if (metadataOf(pod)['deletionTimestamp'] !== undefined) {
    const grace = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds: 0 };
    await ask('DELETE', path, grace);
    return;
  }
  if (spec['nodeName'] === undefined) {
    const target = { apiVersion: 'v1', kind: 'Node', name: node };
    const metadata = { name: textAt(pod, 'name') };
    await ask('POST', `${path}/binding`, { apiVersion: 'v1', kind: 'Binding', metadata, target });
  }
  const status = podStatus(spec);
  if (statusOf(pod)['podIP'] === undefined) await ask('PATCH', `${path}/status`, { status }, merge);
}

function podStatus(spec: JsonObject): JsonObject {
  const containers = Array.isArray(spec['containers']) ? spec['containers'].filter(isObject) : [];
  const tag = /:(\w+)$/.exec(textOf(containers[0]?.['image']))?.[1] ?? '';
  const ends = spec['restartPolicy'] !== 'Always';
  const waiting = waitingReasons[tag];
  const isReady = waiting === undefined && tag !== 'never' && tag !== 'fails' && !ends;
  const exitCode = tag === 'fails' ? 1 : 0;
  const now = new Date().toISOString().replace(/\.\d+/, '');
  const state: Json = waiting
    ? { waiting: { reason: waiting, message: `${waiting} of a test` } }
    : ends
      ? { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', finishedAt: now } }
      : { running: { startedAt: now } };
  const condition = (type: string, isTrue: boolean) => ({
    type,
    status: isTrue ? 'True' : 'False',
    lastTransitionTime: now,
  });
  return {
    phase: waiting ? 'Pending' : ends ? (exitCode === 0 ? 'Succeeded' : 'Failed') : 'Running',
    podIP: `10.1.${Math.floor(Math.random() * 250)}.${1 + Math.floor(Math.random() * 250)}`,
    startTime: now,
    conditions: [
      condition('Initialized', true),
      condition('PodScheduled', true),
      condition('ContainersReady', isReady),
      condition('Ready', isReady),
    ],
    containerStatuses: containers.map(({ name = '', image = '' }) => ({
      name,
      image,
      imageID: image,
      ready: isReady,
      started: isReady,
      restartCount: tag === 'crash' ? 3 : 0,
      state,
    })),
  };
}

const waitingReasons: Readonly<Record<string, string>> = {
  unknown: 'ImagePullBackOff',
  crash: 'CrashLoopBackOff',
};

async function tendService(ask: Ask, service: JsonObject): Promise<void> {
  const given = memberAt(statusOf(service), 'loadBalancer')['ingress'];
  if (memberAt(service, 'spec')['type'] !== 'LoadBalancer' || given !== undefined) return;
  await patchStatus(ask, service, 'services', { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } });
}

async function patchStatus(ask: Ask, object: JsonObject, plural: string, status: JsonObject): Promise<void> {
  const path = `/api/v1/namespaces/${textAt(object, 'namespace')}/${plural}/${textAt(object, 'name')}/status`;
  await ask('PATCH', path, { status }, merge);
}

function memberAt(object: JsonObject, name: string): JsonObject {
  const member = object[name];
  return isObject(member) ? member : {};
}

function statusOf(object: JsonObject): JsonObject {
  return memberAt(object, 'status');
}

function metadataOf(object: JsonObject): JsonObject {
  return memberAt(object, 'metadata');
}

function textAt(object: JsonObject, name: string): string {
  return textOf(metadataOf(object)[name]);
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
