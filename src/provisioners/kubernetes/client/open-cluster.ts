import { isObject, type Json, type JsonObject, stringsIn } from '../../../broker/json.ts';
import type { ClusterError } from '../cluster-error.ts';
import type { Cluster, ClusterObject, Kind, ObjectAddress } from '../cluster.ts';
import { type Answer, type Asked, type Connection, noAnswer } from './connection.ts';
import { withProtocols } from './default-protocol.ts';
import { createDiscovery, type Discovery, noKind, rootOf } from './discovery.ts';
import { objectText, withoutStringData } from './object-text.ts';
import { jsonIn, refusalOf, statusIn } from './refusal.ts';
import { listObjects } from './list-objects.ts';
import { runInPod } from './run-in-pod.ts';

/** Who is told to have written what we apply. */
const fieldManager = 'purveyor';

const jsonType = 'application/json';

/** The cluster at the end of a connection. */
export function openCluster(connection: Connection): Cluster {
  const discovery = createDiscovery(connection);
  const calls = { connection, discovery, ask: asking(connection, discovery) };
  return { name: connection.name, ...reading(calls), ...writing(calls), ...aboutPods(calls) };
}

interface Calls {
  readonly connection: Connection;
  readonly discovery: Discovery;
  readonly ask: ReturnType<typeof asking>;
}

function reading({
  connection: { name },
  discovery,
  ask,
}: Calls): Pick<Cluster, 'identity' | 'served' | 'get' | 'list' | 'rules'> {
  return {
    async identity(signal) {
      const space = { apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' };
      const answer = await ask(space, { method: 'GET', path: '/api/v1/namespaces/kube-system' }, signal);
      const { uid } = objectIn(name, answer).metadata;
      if (typeof uid !== 'string') throw noAnswer(name, 'as an API server');
      return uid;
    },
    served: (kind, signal) => discovery.find(kind, signal),
    async get(address, signal) {
      const asked = { method: 'GET', path: await objectPath(discovery, address, signal) } as const;
      const answer = await ask(address, asked, signal, isAbsent);
      return answer.status === 404 ? undefined : objectIn(name, answer);
    },
    async list(kind, where, signal) {
      const { plural, namespaced } = await discovery.require(kind, signal);
      const path = `${rootOf(kind.apiVersion)}${namespaced ? inNamespace(where.namespace) : ''}/${plural}`;
      return listObjects(kind, where.labels, async (query) => {
        const answer = await ask(kind, { method: 'GET', path, query }, signal);
        return documentIn(name, answer);
      });
    },
    async rules(namespace, signal) {
      const kind = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview' };
      const asked: Asked = {
        method: 'POST',
        path: `${rootOf(kind.apiVersion)}/selfsubjectrulesreviews`,
        body: { type: jsonType, text: objectText({ ...kind, spec: { namespace } }) },
      };
      const { status } = documentIn(name, await ask(kind, asked, signal));
      return isObject(status) ? status : {};
    },
  };
}

function writing({
  connection: { name },
  discovery,
  ask,
}: Calls): Pick<Cluster, 'apply' | 'patch' | 'remove'> {
  const pathOf = (address: ObjectAddress, signal: AbortSignal) => objectPath(discovery, address, signal);
  return {
    async apply(object, { force, dryRun = false, manager = fieldManager }, signal) {
      const sent = withProtocols(withoutStringData(object));
      const asked: Asked = {
        method: 'PATCH',
        path: await pathOf(addressIn(object), signal),
        query: {
          fieldManager: manager,
          // Servers before 1.25 are strict without it, and do not know the word.
          fieldValidation: 'Strict',
          force: force ? 'true' : undefined,
          dryRun: dryRun ? 'All' : undefined,
        },
        body: { type: 'application/apply-patch+yaml', text: objectText(sent) },
      };
      return objectIn(name, await ask(object, asked, signal, undefined, secretsIn(object, sent)));
    },
    async patch(address, change, { manager, subresource }, signal) {
      const asked: Asked = {
        method: 'PATCH',
        path: `${await pathOf(address, signal)}${subresource === undefined ? '' : `/${subresource}`}`,
        query: { fieldManager: manager, fieldValidation: 'Strict' },
        body: { type: 'application/merge-patch+json', text: objectText(change) },
      };
      return objectIn(name, await ask(address, asked, signal));
    },
    async remove(address, uid, signal) {
      const asked: Asked = {
        method: 'DELETE',
        path: await pathOf(address, signal),
        body: { type: jsonType, text: objectText(deleteOptions(uid)) },
      };
      const isGone = (answer: Answer) => isAbsent(answer) || isAnother(answer);
      const answer = await ask(address, asked, signal, isGone);
      const isLeft = answer.status < 300 && statusIn(answer.text)['kind'] === undefined;
      return isLeft ? objectIn(name, answer) : undefined;
    },
  };
}

function deleteOptions(uid: string | undefined): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    propagationPolicy: 'Foreground',
    ...(uid !== undefined && { preconditions: { uid } }),
  };
}

function aboutPods({ connection, ask }: Calls): Pick<Cluster, 'log' | 'exec'> {
  return {
    async log(pod, { lines, previous }, signal) {
      const query = {
        container: pod.container,
        tailLines: String(lines),
        limitBytes: '65536',
        previous: previous ? 'true' : undefined,
      };
      const asked: Asked = { method: 'GET', path: `${podPath(pod)}/log`, query };
      return (await ask({ apiVersion: 'v1', kind: 'Pod' }, asked, signal)).text;
    },
    exec: (pod, command, signal) =>
      runInPod(connection, `${podPath(pod)}/exec`, pod.container, command, signal),
  };
}

type Accept = (answer: Answer) => boolean;

/** @throws ClusterError unless it is a success, or an answer that is expected as well */
function asking(connection: Connection, discovery: Discovery) {
  return async (
    kind: Kind,
    asked: Asked,
    signal: AbortSignal,
    isExpected: Accept = () => false,
    secrets: readonly string[] = [],
  ): Promise<Answer> => {
    const answer = await connection.ask(asked, signal);
    if (answer.status < 300 || isExpected(answer)) return answer;
    const refusal = refusalOf(answer, [...answer.secrets, ...secrets]);
    if (!isUnknownPath(refusal)) throw refusal;
    // Its definition was taken away after we had looked.
    discovery.forget();
    throw noKind(connection.name, kind);
  };
}

/** A server that does not know a path at all says so in a plain text, one that knows no such object in an object. */
function isUnknownPath({ status, reason }: ClusterError): boolean {
  return status === 404 && reason === '';
}

/** There is no such object, and its kind is served. */
function isAbsent({ status, text }: Answer): boolean {
  return status === 404 && statusIn(text)['reason'] === 'NotFound';
}

/** The object of this name has another uid than the one that was to be removed. */
function isAnother({ status, text }: Answer): boolean {
  const { message } = statusIn(text);
  return status === 409 && typeof message === 'string' && /uid in (?:the )?precondition/i.test(message);
}

async function objectPath(
  discovery: Discovery,
  address: ObjectAddress,
  signal: AbortSignal,
): Promise<string> {
  const { plural, namespaced } = await discovery.require(address, signal);
  const { namespace, kind, name } = address;
  if (namespaced && namespace === undefined) throw new Error(`The ${kind} ${name} is in no namespace.`);
  const place = namespaced ? inNamespace(namespace) : '';
  return `${rootOf(address.apiVersion)}${place}/${plural}/${encodeURIComponent(name)}`;
}

function inNamespace(namespace: string | undefined): string {
  return namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
}

function podPath({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `/api/v1${inNamespace(namespace)}/pods/${encodeURIComponent(name)}`;
}

function addressIn({ apiVersion, kind, metadata: { name, namespace } }: ClusterObject): ObjectAddress {
  if (typeof name !== 'string' || name === '') throw new Error(`A ${kind} has no name.`);
  return { apiVersion, kind, name, ...(typeof namespace === 'string' && { namespace }) };
}

/** What is in a Secret, as it was given and as it was sent. */
function secretsIn(given: ClusterObject, sent: ClusterObject): readonly string[] {
  if (given.kind !== 'Secret') return [];
  return [given['stringData'], sent['data']].flatMap((member: Json | undefined) => stringsIn(member));
}

function documentIn(cluster: string, { text }: Answer): JsonObject {
  const value = jsonIn(text);
  if (isObject(value)) return value;
  throw noAnswer(cluster, 'as an API server');
}

function objectIn(cluster: string, answer: Answer): ClusterObject {
  const { apiVersion, kind, metadata, ...others } = documentIn(cluster, answer);
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || !isObject(metadata))
    throw noAnswer(cluster, 'as an API server');
  return { apiVersion, kind, metadata, ...others };
}
