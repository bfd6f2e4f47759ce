// Records as they are encrypted and read again, in everything in which they travel.
import type { FoundInstance, Operation, ServiceBinding, ServiceInstance } from '../broker/records.ts';
import type { Change, LeasedOperation, Opening, Pause, Settlement } from '../broker/store.ts';
import { sealedBackup } from './backups/sealed-books.ts';
import { openRecord, sealRecord } from './confidential.ts';
import { confidentialAfter, reviveOperation } from './operation-rows.ts';
import type { KeyRing } from './keyring.ts';
import { sealedEntry } from './sealed-audit.ts';
import { openedOrigin, sealedOrigin } from './sealed-origin.ts';
import { isUnreadable, type RowPlace, type TellUnreadable } from './unreadable.ts';

/** Encrypts everything in which a record travels. @param keys gives the ring as it is now */
export function sealer(keys: () => KeyRing) {
  const seal = {
    instance: (instance: ServiceInstance) => sealRecord(keys(), instanceRow(instance), instance),
    binding: (binding: ServiceBinding) => sealRecord(keys(), bindingRow(binding), binding),
    operation(operation: Operation): Operation {
      const row = operationRow(operation);
      const legible = { ...operation, origin: sealedOrigin(keys(), row, operation.origin) };
      // What has ended remembers no secret.
      return operation.state === 'in progress'
        ? sealRecord(keys(), row, legible)
        : { ...legible, confidential: {} };
    },
    opening: (opening: Opening): Opening => ({
      ...opening,
      operation: seal.operation(opening.operation),
      audit: opening.audit && sealedEntry(keys(), opening.audit),
      instance: 'keep' in opening.instance ? opening.instance : changed(opening.instance, seal.instance),
      ...(opening.binding && { binding: changed(opening.binding, seal.binding) }),
    }),
    settlement: (settlement: Settlement): Settlement => ({
      ...settlement,
      ...(settlement.instance && { instance: changed(settlement.instance, seal.instance) }),
      ...(settlement.backup && { backup: sealedBackup(keys(), settlement.backup) }),
      ...(settlement.binding && { binding: changed(settlement.binding, seal.binding) }),
    }),
    /** The confidential part is one whole: what the pause adds to it is added before it is sealed. */
    progress: (held: LeasedOperation, pause: Pause): LeasedOperation => ({
      ...held,
      operation: seal.operation({ ...held.operation, confidential: confidentialAfter(held, pause) }),
    }),
  };
  return seal;
}

/** The other way; of what cannot be read `tell` is told, and Refusal 'unreadable' is thrown. */
export function opener(keys: () => KeyRing, tell: TellUnreadable) {
  const open = {
    instance: (instance: ServiceInstance) => openRecord(keys(), instanceRow(instance), instance, tell),
    binding: (binding: ServiceBinding) => openRecord(keys(), bindingRow(binding), binding, tell),
    operation(operation: Operation): Operation {
      const row = operationRow(operation);
      const origin = openedOrigin(keys(), row, operation.origin);
      return reviveOperation(openRecord(keys(), row, { ...operation, origin }, tell));
    },
    found: ({ instance, operation, ...rest }: FoundInstance): FoundInstance => ({
      ...rest,
      instance: open.instance(instance),
      ...(operation && { operation: open.operation(operation) }),
    }),
    held: ({ operation, instance, binding, remainingMs }: LeasedOperation): LeasedOperation => ({
      operation: open.operation(operation),
      instance: open.instance(instance),
      ...(binding && { binding: open.binding(binding) }),
      remainingMs,
    }),
  };
  return open;
}

/** Most of a record can be read without any key: of what no key opens the confidential part is empty. */
export function legibly(keys: () => KeyRing, open: ReturnType<typeof opener>) {
  return {
    operation: (operation: Operation) =>
      unlessUnreadable(() => open.operation(operation), {
        ...operation,
        origin: openedOrigin(keys(), operationRow(operation), operation.origin),
        confidential: {},
      }),
    instance: (instance: ServiceInstance) =>
      unlessUnreadable(() => open.instance(instance), {
        ...instance,
        confidential: { parameters: {}, secrets: {}, facts: {} },
      }),
  };
}

function unlessUnreadable<Rec>(read: () => Rec, rest: Rec): Rec {
  try {
    return read();
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return rest;
  }
}

/** A removal writes nothing. */
function changed<Rec>(change: Change<Rec>, seal: (record: Rec) => Rec): Change<Rec> {
  return 'put' in change ? { put: seal(change.put) } : change;
}

// A confidential part opens only in the row for which it was sealed.

const instanceRow = ({ id }: ServiceInstance): RowPlace => ({ table: 'service_instances', ids: [id] });
const bindingRow = ({ instanceId, id }: ServiceBinding): RowPlace => ({
  table: 'service_bindings',
  ids: [instanceId, id],
});
const operationRow = ({ id }: Operation): RowPlace => ({ table: 'operations', ids: [id] });
