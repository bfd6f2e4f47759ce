import { memberOf } from '../../../broker/json.ts';
import type { ClusterObject, ObjectAddress } from '../cluster.ts';
import { plainText } from './plain-text.ts';

/** How objects of ours are told from others, and from each other. */
export const installationLabel = 'purveyor.io/installation';
export const instanceLabel = 'purveyor.io/instance';
export const bindingLabel = 'purveyor.io/binding';
/** The name in the offering file. */
export const objectLabel = 'purveyor.io/object';
/** The Secret that says of which kinds an instance has objects. */
export const parentLabel = 'purveyor.io/parent';

export const idAnnotation = 'purveyor.io/instance-id';
/** Removal goes by it, without the offering. */
export const waveAnnotation = 'purveyor.io/wave';
export const keepAnnotation = 'purveyor.io/keep';
export const restartAnnotation = 'purveyor.io/restartedAt';
/** Of pod templates: what they mount has changed. */
export const checksumAnnotation = 'purveyor.io/checksum';

interface Owner {
  readonly installation: string;
  readonly key: string;
}

/** By these all of an instance is found. */
export function labelsOf({ installation, key }: Owner): Readonly<Record<string, string>> {
  return {
    'app.kubernetes.io/managed-by': 'purveyor',
    [installationLabel]: installation,
    [instanceLabel]: key,
  };
}

export function labelOf({ metadata }: ClusterObject, name: string): string | undefined {
  return textOf(memberOf(metadata, 'labels')[name]);
}

export function annotationOf({ metadata }: ClusterObject, name: string): string | undefined {
  return textOf(memberOf(metadata, 'annotations')[name]);
}

export function uidOf({ metadata }: ClusterObject): string | undefined {
  return textOf(metadata['uid']);
}

export function nameOf({ metadata }: ClusterObject): string {
  return plainText(metadata['name']);
}

export function isOfInstance(object: ClusterObject, { installation, key }: Owner): boolean {
  return labelOf(object, installationLabel) === installation && labelOf(object, instanceLabel) === key;
}

export function addressOf({ apiVersion, kind, metadata }: ClusterObject): ObjectAddress {
  return { apiVersion, kind, name: plainText(metadata['name']), namespace: textOf(metadata['namespace']) };
}

export function isGoing({ metadata }: ClusterObject): boolean {
  return metadata['deletionTimestamp'] !== undefined;
}

/** What an object that is being removed waits for, as a sentence. */
export function goingNote(object: ClusterObject): string {
  const { finalizers } = object.metadata;
  const waits =
    Array.isArray(finalizers) && finalizers.length > 0 ? `; it waits for ${finalizers.join(', ')}` : '';
  return `${object.kind} ${nameOf(object)} is being removed${waits}.`;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
