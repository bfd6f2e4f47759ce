// What an instance needs, as seen from it: who asks for it, and the ids under which it is found.
import type { Dependency } from '../catalog.ts';
import { isObject, type JsonObject } from '../json.ts';
import { idBeside, keyOf } from '../key.ts';
import type { Origin, ServiceInstance } from '../records.ts';
import type { LeasedOperation, OnBehalfOf } from '../store.ts';

/** The instance as it shall be, who wants it, and the operation that asks for what it needs. */
export interface Dependent {
  readonly instance: ServiceInstance;
  readonly origin: Origin;
  readonly within: OnBehalfOf;
}

export function dependentOf({ operation, instance }: LeasedOperation): Dependent {
  const { id, attempt, origin } = operation;
  const shall = operation.confidential.target ?? instance;
  return { instance: shall, origin, within: { id, attempt } };
}

export function isDedicated({ instance }: Dependency): boolean {
  return instance === undefined;
}

/** What is needed, and the binding by which it is held. */
export interface DependencyIds {
  readonly instanceId: string;
  readonly bindingId: string;
}

/**
 * The same at every try of one life of the instance, and such as nobody else chooses. An instance of its own that is to
 * be of another offering or plan is another instance.
 */
export function dependencyIds({ id, key }: ServiceInstance, name: string, need: Dependency): DependencyIds {
  const { instance, offering, plan = '' } = need;
  const life = key === undefined ? [id] : [id, key];
  return {
    instanceId: instance ?? idBeside(id, keyOf(...life, 'need', name, offering, plan)),
    bindingId: keyOf(...life, 'need', name),
  };
}

/** The instance as it was before it was lost, while it is made anew: what that one held of others must go. */
export function formerLife({ lost, key, ...instance }: ServiceInstance): ServiceInstance | undefined {
  if (!lost || lost.key === key) return undefined;
  return lost.key === undefined ? instance : { ...instance, key: lost.key };
}

/** From here on they are facts of the instance, for the provisioner and for all that is kept of it. */
export function withDependencies(held: LeasedOperation, deps: JsonObject): LeasedOperation {
  const { operation, instance } = held;
  const { target } = operation.confidential;
  // An update that fails leaves the instance as it is.
  if (!target) return { ...held, instance: withDependencyFact(instance, deps) };
  const confidential = { ...operation.confidential, target: withDependencyFact(target, deps) };
  return { ...held, operation: { ...operation, confidential } };
}

export function withDependencyFact(instance: ServiceInstance, deps: JsonObject): ServiceInstance {
  const { deps: before, ...rest } = instance.confidential.facts;
  if (before === undefined && Object.keys(deps).length === 0) return instance;
  const facts = Object.keys(deps).length > 0 ? { ...rest, deps } : rest;
  return { ...instance, confidential: { ...instance.confidential, facts } };
}

/** Undefined: it was never given any. */
export function dependenciesOf({ confidential: { facts } }: ServiceInstance): JsonObject | undefined {
  return isObject(facts['deps']) ? facts['deps'] : undefined;
}
