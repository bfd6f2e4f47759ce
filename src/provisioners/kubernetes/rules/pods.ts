import { memberOf, type JsonObject } from '../../../broker/json.ts';
import type { ClusterObject } from '../cluster.ts';
import {
  conditionOf,
  failed,
  givesUp,
  lasting,
  listOf,
  numberOf,
  ready,
  said,
  textOf,
  waiting,
} from './verdict.ts';
import type { Beside, Verdict } from './verdict.ts';

/** For what does not mend itself, however long one waits; a minute, since a Secret may come after its pod. */
const hopeless: ReadonlySet<string> = new Set([
  'InvalidImageName',
  'ErrImageNeverPull',
  'CreateContainerConfigError',
]);
const hopelessAfterMs = 60_000;

/** Reasons of waiting that are the ordinary way of a pod. */
const ordinary: ReadonlySet<string> = new Set(['ContainerCreating', 'PodInitializing']);

export function judgePod(pod: ClusterObject, beside: Beside): Verdict {
  const status = memberOf(pod, 'status');
  if (conditionOf(pod, 'Ready')?.['status'] === 'True' || status['phase'] === 'Succeeded') return ready;
  if (status['phase'] === 'Failed') return failed(`has failed${said(status['reason'], status['message'])}`);
  return troubleOf(pod, beside) ?? waiting(startingOf(pod));
}

/**
 * The pod that says most about why what made it is not ready; undefined when none says anything. Those of an older
 * revision, that are being removed, or that have ended say nothing of it.
 */
export function worstPod(pods: readonly ClusterObject[], beside: Beside): Verdict | undefined {
  const verdicts = newest(pods.filter(counts)).flatMap((pod) => {
    const trouble = troubleOf(pod, beside);
    return trouble && 'reason' in trouble
      ? [{ ...trouble, reason: `pod ${textOf(pod.metadata['name'])} ${trouble.reason}` }]
      : [];
  });
  return verdicts.find(({ state }) => state === 'failed') ?? verdicts[0];
}

function counts({ metadata, status }: ClusterObject): boolean {
  const phase = memberOf({ status: status ?? null }, 'status')['phase'];
  return metadata['deletionTimestamp'] === undefined && phase !== 'Failed' && phase !== 'Succeeded';
}

/** The pods of the revision of which the last one was made. */
function newest(pods: readonly ClusterObject[]): readonly ClusterObject[] {
  const last = pods.reduce<ClusterObject | undefined>(
    (found, pod) => (found && madeAt(found) >= madeAt(pod) ? found : pod),
    undefined,
  );
  return last ? pods.filter((pod) => revisionOf(pod) === revisionOf(last)) : [];
}

function madeAt({ metadata }: ClusterObject): string {
  return textOf(metadata['creationTimestamp']);
}

/** What the controllers of Deployments, and of StatefulSets and DaemonSets, write on the pods of one revision. */
export function revisionOf({ metadata }: ClusterObject): unknown {
  const labels = memberOf(metadata, 'labels');
  return labels['pod-template-hash'] ?? labels['controller-revision-hash'];
}

/** Why a pod does not get ready, where something is in its way. */
function troubleOf(pod: ClusterObject, beside: Beside): Verdict | undefined {
  if (conditionOf(pod, 'Ready')?.['status'] === 'True') return undefined;
  const { reason, final } = placeTrouble(pod) ?? containerTrouble(pod) ?? {};
  if (reason === undefined) return undefined;
  const since = notReadySince(pod);
  const over = final ? lasting(since, beside) >= hopelessAfterMs : givesUp(since, beside);
  return over ? failed(reason) : waiting(reason);
}

interface Trouble {
  readonly reason: string;
  readonly final?: boolean;
}

function placeTrouble(pod: ClusterObject): Trouble | undefined {
  const placed = conditionOf(pod, 'PodScheduled');
  if (placed?.['status'] !== 'False') return undefined;
  return { reason: `has no node to run on${said(placed['reason'], placed['message'])}` };
}

function containerTrouble(pod: ClusterObject): Trouble | undefined {
  const { status = null } = pod;
  const all = [...listOf(status, 'initContainerStatuses'), ...listOf(status, 'containerStatuses')];
  for (const container of all) {
    const state = memberOf(container, 'state');
    const held = memberOf(state, 'waiting');
    const reason = textOf(held['reason']);
    if (reason !== '' && !ordinary.has(reason)) {
      return { reason: wordsFor(reason, container, held), final: hopeless.has(reason) };
    }
    const ended = memberOf(state, 'terminated');
    if (ended['reason'] !== undefined && ended['exitCode'] !== 0) {
      return { reason: `has a container that ended${exitOf(ended)}` };
    }
  }
  return undefined;
}

function wordsFor(reason: string, container: JsonObject, held: JsonObject): string {
  if (reason === 'CrashLoopBackOff') {
    const ended = memberOf(memberOf(container, 'lastState'), 'terminated');
    return `has a container that ends again and again${exitOf(ended)}`;
  }
  if (/image/i.test(reason)) return `does not get its image${said(reason, held['message'])}`;
  return `cannot start${said(reason, held['message'])}`;
}

function exitOf(ended: JsonObject): string {
  if (ended['reason'] === 'OOMKilled') return said('it had not enough memory');
  return said(`exit code ${textOf(ended['exitCode'])}`, ended['message']);
}

function notReadySince(pod: ClusterObject) {
  return conditionOf(pod, 'Ready')?.['lastTransitionTime'] ?? pod.metadata['creationTimestamp'];
}

function startingOf(pod: ClusterObject): string {
  const phase = memberOf(pod, 'status')['phase'];
  return phase === 'Running' ? 'runs and is not ready yet' : 'is being started';
}

/**
 * The pod at which an update of a StatefulSet hangs: it is of an older revision and does not get ready, and the
 * controller neither replaces it nor goes on ("Forced rollback" in the documentation of Kubernetes). Once it is
 * deleted, one of the new revision takes its place.
 */
export function hangingPod(set: ClusterObject, beside: Beside): ClusterObject | undefined {
  const { podManagementPolicy, updateStrategy } = memberOf(set, 'spec');
  const { updateRevision, observedGeneration } = memberOf(set, 'status');
  if (podManagementPolicy === 'Parallel' || typeof updateRevision !== 'string') return undefined;
  if (observedGeneration !== set.metadata['generation']) return undefined;
  const strategy = memberOf({ updateStrategy: updateStrategy ?? null }, 'updateStrategy');
  if (strategy['type'] === 'OnDelete') return undefined;
  const first = numberOf(memberOf(strategy, 'rollingUpdate'), 'partition', 0);
  return beside.pods?.find(
    (pod) =>
      counts(pod) &&
      ordinalOf(pod) >= first &&
      revisionOf(pod) !== updateRevision &&
      conditionOf(pod, 'Ready')?.['status'] !== 'True' &&
      lasting(notReadySince(pod), beside) >= hopelessAfterMs,
  );
}

function ordinalOf({ metadata }: ClusterObject): number {
  return Number(/\d+$/.exec(textOf(metadata['name']))?.[0] ?? 0);
}
