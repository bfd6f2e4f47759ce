import type { Json, JsonObject } from '../../../broker/json.ts';
import type { ClusterObject } from '../cluster.ts';

/** How an object is. The reason is a clause for people: `0 of 1 pods are ready`. */
export type Verdict =
  { readonly state: 'ready' | 'stopped' } | { readonly state: 'waiting' | 'failed'; readonly reason: string };

/** What an offering says of an object's readiness. */
export interface Declared {
  /** It is enough that it is there, or that a Service has a ready endpoint, or conditions that must all hold. */
  readonly ready?: 'exists' | 'endpoints' | readonly Condition[];
  /** One that holds ends the operation; `text` is the path of what people are told. */
  readonly failed?: readonly (Condition & { readonly text?: string })[];
  /** Something of the offering reads from its status. */
  readonly read?: boolean;
}

export type Condition =
  | { readonly condition: string }
  | { readonly path: string; readonly equals: Json }
  | { readonly path: string; readonly in: readonly Json[] }
  | { readonly path: string; readonly present: boolean }
  | { readonly path: string; readonly at_least: number };

/** What else was seen when the object was. */
export interface Beside {
  readonly now: Date;
  /** When what is awaited was asked for: no time before that counts against it. */
  readonly since?: Date;
  /** The resourceVersion that the last apply returned. */
  readonly appliedVersion?: string;
  /** The pods of this object. */
  readonly pods?: readonly ClusterObject[];
  /** The EndpointSlices, or the Endpoints, of this Service. */
  readonly endpoints?: readonly ClusterObject[];
  /** The StorageClass of this PersistentVolumeClaim. */
  readonly storageClass?: ClusterObject;
  /** How long what may mend itself is waited for; ms, 5 minutes when absent. */
  readonly giveUpMs?: number;
}

export const ready: Verdict = { state: 'ready' };
export const stopped: Verdict = { state: 'stopped' };

export function waiting(reason: string): Verdict {
  return { state: 'waiting', reason };
}

export function failed(reason: string): Verdict {
  return { state: 'failed', reason };
}

/** What a cluster says, in one line that is not too long; in brackets when there is something. */
export function said(...texts: readonly (Json | undefined)[]): string {
  const parts = texts.map(textOf).filter((text) => text !== '');
  const text = parts.join(': ').replaceAll(/\s+/g, ' ').trim();
  if (text === '') return '';
  return ` (${text.length > longest ? `${text.slice(0, longest).toWellFormed()}...` : text})`;
}

const longest = 300;

/** Of a list of conditions (`status.conditions`) the one of this type, when it is not of an older generation. */
export function conditionOf({ status, metadata }: ClusterObject, type: string): JsonObject | undefined {
  const found = listOf(status, 'conditions').find((condition) => condition['type'] === type);
  const seen = found?.['observedGeneration'];
  const { generation } = metadata;
  return typeof seen === 'number' && typeof generation === 'number' && seen < generation ? undefined : found;
}

/** The objects in a list; none where there is no list. */
export function listOf(value: Json | undefined, name: string): readonly JsonObject[] {
  const list =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject)[name] : [];
  return Array.isArray(list) ? (list as readonly JsonObject[]) : [];
}

/** A text or number as text; nothing for what is neither. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

export function numberOf(value: JsonObject, name: string, otherwise: number): number {
  const found = value[name];
  return typeof found === 'number' ? found : otherwise;
}

/** How long something has been so, of what counts; ms. */
export function lasting(from: Json | undefined, { now, since }: Beside): number {
  const start = typeof from === 'string' ? Date.parse(from) : Number.NaN;
  const counted = Math.max(Number.isNaN(start) ? now.getTime() : start, since?.getTime() ?? 0);
  return now.getTime() - counted;
}

export function givesUp(from: Json | undefined, beside: Beside): boolean {
  return lasting(from, beside) >= (beside.giveUpMs ?? 300_000);
}
