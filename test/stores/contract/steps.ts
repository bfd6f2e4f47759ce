import type {
  Operation,
  OperationKind,
  ServiceBinding,
  ServiceInstance,
} from '../../../src/broker/records.ts';
import type { LeasedOperation, Opening, Store } from '../../../src/broker/store.ts';
import { aBinding, anInstance, anOperation, newId } from '../../broker/fixtures.ts';
import { until } from '../../support/until.ts';

/** A lease that no test outlives. */
export const long = 60_000;

/** An operation that nobody holds yet. */
export function begun(kind: OperationKind, rest: Partial<Operation> = {}): Operation {
  return anOperation(kind, { id: newId(), attempt: 0, ...rest });
}

/** One that is held from birth. */
export function heldFromBirth(kind: OperationKind, rest: Partial<Operation> = {}): Operation {
  return begun(kind, { attempt: 1, holder: 'request', ...rest });
}

/** One that is over when it is opened. */
export function ended(kind: OperationKind, rest: Partial<Operation> = {}): Operation {
  return begun(kind, { attempt: 1, state: 'succeeded', ...rest });
}

/** An opening on an instance; a new one unless the record says otherwise. */
export function provisioning(rest: Partial<ServiceInstance> = {}, operation = begun('provision')): Opening {
  const record = anInstance({ version: 0, ready: operation.state === 'succeeded', ...rest });
  return { operation: { ...operation, instanceId: record.id }, leaseMs: long, instance: { put: record } };
}

export function binding(
  keep: ServiceInstance,
  rest: Partial<ServiceBinding> = {},
  operation = begun('bind'),
): Opening {
  const record = aBinding({ instanceId: keep.id, ready: operation.state === 'succeeded', ...rest });
  return {
    operation: { ...operation, instanceId: keep.id, bindingId: record.id },
    leaseMs: long,
    instance: { keep },
    binding: { put: record },
  };
}

export function unbinding(
  keep: ServiceInstance,
  record: ServiceBinding,
  operation = begun('unbind'),
): Opening {
  const change = operation.state === 'succeeded' ? { remove: record } : { put: record };
  return {
    operation: { ...operation, instanceId: keep.id, bindingId: record.id },
    leaseMs: long,
    instance: { keep },
    binding: change,
  };
}

export async function open(store: Store, opening: Opening): Promise<void> {
  expect(await store.open(opening)).toBe(true);
}

/** A ready instance, as it is read. */
export async function anInstanceIn(
  store: Store,
  rest: Partial<ServiceInstance> = {},
): Promise<ServiceInstance> {
  await open(store, provisioning(rest, ended('provision')));
  return readInstance(store, rest.id);
}

/** A ready binding, as it is read. */
export async function aBindingIn(
  store: Store,
  keep: ServiceInstance,
  rest: Partial<ServiceBinding> = {},
): Promise<ServiceBinding> {
  await open(store, binding(keep, rest, ended('bind')));
  return readBinding(store, keep.id, rest.id);
}

/** One whose bind has failed and was undone. */
export async function aFailedBindingIn(
  store: Store,
  instance: ServiceInstance,
  rest: Partial<ServiceBinding> = {},
): Promise<void> {
  const opening = binding(instance, rest, heldFromBirth('bind'));
  await open(store, opening);
  const { operation } = opening;
  const failure = { word: 'x', sentence: 'It failed.' };
  expect(await store.settle({ operation, instance, remainingMs: 1 }, { failure })).toBe(true);
}

export async function readInstance(store: Store, id = 'i1'): Promise<ServiceInstance> {
  const found = await store.findInstance(id);
  if (!found) throw new Error(`There is no instance ${id}.`);
  return found.instance;
}

export async function readBinding(store: Store, instanceId = 'i1', id = 'b1'): Promise<ServiceBinding> {
  const { binding: record } = await store.findBinding(instanceId, id);
  if (!record) throw new Error(`There is no binding ${id}.`);
  return record;
}

export async function claim(
  store: Store,
  holder = 'worker',
  leaseMs = long,
  node?: string,
): Promise<LeasedOperation> {
  return until('an operation is due', () => store.claim(holder, leaseMs, node));
}

export function numbered(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index);
}
