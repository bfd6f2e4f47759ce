import { createHash } from 'node:crypto';
import { memberOf } from '../../../broker/json.ts';
import type { ClusterObject, Kind } from '../cluster.ts';

/**
 * The objects of an instance as a set that other tools know too (KEP-3659, as kubectl's code has it): its parent is a
 * Secret, and says which kinds may have members.
 */
export interface ApplySetParent {
  readonly name: string;
  readonly namespace: string;
}

export const partOfLabel = 'applyset.kubernetes.io/part-of';
const idLabel = 'applyset.kubernetes.io/id';
const toolingAnnotation = 'applyset.kubernetes.io/tooling';
const kindsAnnotation = 'applyset.kubernetes.io/contains-group-kinds';
const namespacesAnnotation = 'applyset.kubernetes.io/additional-namespaces';
/** The same kinds with their versions, so that members are found without the offering. */
const versionsAnnotation = 'purveyor.io/kinds';

/** What the label `part-of` of the members says. */
export function applySetId({ name, namespace }: ApplySetParent): string {
  const hash = createHash('sha256').update(`${name}.${namespace}.Secret.`).digest('base64url');
  return `applyset-${hash}-v1`;
}

/**
 * The parent as it is applied. Before members are, with the union of the kinds it had and those to come; with these
 * alone when what is no longer wanted is gone.
 */
export function applySetParent(
  parent: ApplySetParent,
  {
    version,
    kinds,
    namespaces = [],
  }: { version: string; kinds: readonly Kind[]; namespaces?: readonly string[] },
): ClusterObject {
  const others = sortedOnce(namespaces.filter((namespace) => namespace !== parent.namespace));
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      ...parent,
      labels: { [idLabel]: applySetId(parent) },
      annotations: {
        [toolingAnnotation]: `purveyor/${version}`,
        [kindsAnnotation]: sortedOnce(kinds.map(groupKind)).join(','),
        [namespacesAnnotation]: others.join(','),
        [versionsAnnotation]: sortedOnce(kinds.map(({ apiVersion, kind }) => `${apiVersion}/${kind}`)).join(
          ',',
        ),
      },
    },
    type: 'Opaque',
  };
}

/** The kinds of which the set may have members; undefined when its parent does not say so. */
export function kindsOfApplySet(parent: ClusterObject): readonly Kind[] | undefined {
  const text = annotationsOf(parent)[versionsAnnotation];
  if (typeof text !== 'string') return undefined;
  return text.split(',').flatMap((one) => {
    const end = one.lastIndexOf('/');
    return end === -1 ? [] : [{ apiVersion: one.slice(0, end), kind: one.slice(end + 1) }];
  });
}

export function unionOfKinds(...kinds: readonly (readonly Kind[])[]): readonly Kind[] {
  const all = kinds.flat().map((one) => [`${one.apiVersion}/${one.kind}`, one] as const);
  return [...new Map(all).values()];
}

/** Why an object of the parent's name cannot be the parent of this set, as a clause. */
export function applySetProblem(found: ClusterObject, parent: ApplySetParent): string | undefined {
  const tooling = annotationsOf(found)[toolingAnnotation];
  const id = memberOf(found.metadata, 'labels')[idLabel];
  const name = `${parent.namespace}/${parent.name}`;
  if (typeof tooling === 'string' && !tooling.startsWith('purveyor/')) return `${name} belongs to ${tooling}`;
  if (id === undefined || tooling === undefined) return `${name} exists and is not of this broker`;
  return id === applySetId(parent) ? undefined : `${name} is the parent of another set`;
}

function annotationsOf({ metadata }: ClusterObject) {
  return memberOf(metadata, 'annotations');
}

/** `StatefulSet.apps`, `Secret`. */
function groupKind({ apiVersion, kind }: Kind): string {
  const group = groupOf({ apiVersion });
  return group === '' ? kind : `${kind}.${group}`;
}

/** The group of an API version: `apps` of `apps/v1`, nothing of `v1`. */
export function groupOf({ apiVersion }: { readonly apiVersion: string }): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}

function sortedOnce(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].toSorted();
}
