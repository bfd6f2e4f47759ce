// A store made from a store: all that is confidential lies encrypted in the inner one.
import type { FoundInstance, Operation, ServiceBinding, ServiceInstance } from '../broker/records.ts';
import type { Change, LeasedOperation, Opening, Pause, Settlement, Store } from '../broker/store.ts';
import {
  type ConfidentialRow,
  confidentialAfter,
  isCorrupt,
  parseConfidential,
  reviveOperation,
} from './operation-rows.ts';
import { type KeyRing, openText, type Sealed, sealText } from './keyring.ts';
import {
  claimReadable,
  isUnreadable,
  type RowPlace,
  rowPlaceOf,
  type TellUnreadable,
  tellingSeldom,
  unreadable,
} from './unreadable.ts';

/**
 * The first key of the ring encrypts, any of them decrypts. Who asks for a row that cannot be read is refused with
 * 'unreadable', whose cause says why; those that are due are passed over. Rows that were written before there were
 * keys are read as they are, until `resealer` has been over them.
 * @param keys the ring, or what gives it as it is now
 */
export function sealedStore(
  inner: Store,
  keys: KeyRing | (() => KeyRing),
  tell: TellUnreadable = () => undefined,
): Store {
  const { seal, open, legible } = sealing(
    typeof keys === 'function' ? keys : () => keys,
    tellingSeldom(tell),
  );
  return {
    ...inner,
    async findInstance(instanceId) {
      const found = await inner.findInstance(instanceId);
      return found && open.found(found);
    },
    async findBinding(instanceId, bindingId) {
      const { found, binding, operation } = await inner.findBinding(instanceId, bindingId);
      return {
        ...(found && { found: open.found(found) }),
        ...(binding && { binding: open.binding(binding) }),
        ...(operation && { operation: open.operation(operation) }),
      };
    },
    open: (opening) => inner.open(seal.opening(opening)),
    async place(opening, demand) {
      const placement = await inner.place(seal.opening(opening), demand);
      if (placement === 'stale' || 'short' in placement) return placement;
      return { placed: open.instance(placement.placed), operation: open.operation(placement.operation) };
    },
    claim: (holder, leaseMs, node) =>
      claimReadable(
        () => inner.claim(holder, leaseMs, node),
        open.held,
        (held) => inner.renew(held, passedOnAfter),
      ),
    postpone: (held, pause) => inner.postpone(seal.progress(held, pause), withoutMemo(pause)),
    settle: (held, settlement) => inner.settle(held, seal.settlement(settlement)),
    ...askingHow(inner, legible),
    async leftBinding(instanceId) {
      const binding = await inner.leftBinding(instanceId);
      return binding && open.binding(binding);
    },
    claimUnitCheck: (node) =>
      claimReadable(
        () => inner.claimUnitCheck(node),
        (check) => ({ ...check, instance: open.instance(check.instance) }),
      ),
  };
}

/** For those who ask only how an operation goes. */
function askingHow(
  inner: Store,
  legible: (operation: Operation) => Operation,
): Pick<Store, 'lastOperation' | 'history'> {
  return {
    async lastOperation(query) {
      const { operation, ...rest } = await inner.lastOperation(query);
      return { ...(operation && { operation: legible(operation) }), ...rest };
    },
    history: async (instanceId, limit) => (await inner.history(instanceId, limit)).map(legible),
  };
}

/** Milliseconds after which another broker, which may have the key, can claim what this one could not read. */
const passedOnAfter = 3_000;

/**
 * Encrypts anew, with the first key, what lies in a row under another one, or under none; undefined when it lies
 * under the first. Throws an Error that says why when the row cannot be read.
 */
export function resealer(keys: KeyRing): (row: ConfidentialRow) => string | undefined {
  const [newest] = keys;
  return function reseal({ confidential: stored, ...row }) {
    const place = rowPlaceOf(row);
    const confidential = parseConfidential(stored);
    // Also what need not be written: here it is found out.
    read(keys, place, confidential);
    if (!isSealed(confidential)) return JSON.stringify({ sealed: sealText(keys, place, stored) });
    if (confidential.sealed.key === newest.id) return undefined;
    return JSON.stringify({ sealed: sealText(keys, place, openText(keys, place, confidential.sealed)) });
  };
}

/** What is confidential, as it is to lie in this row. */
export function sealConfidential(keys: KeyRing, row: RowPlace, confidential: object): string {
  return JSON.stringify({ sealed: sealText(keys, rowPlaceOf(row), JSON.stringify(confidential)) });
}

/** What is confidential in this row. @throws Refusal 'unreadable', whose cause says why */
export function openConfidential(keys: KeyRing, { confidential, ...row }: ConfidentialRow): object {
  try {
    return read(keys, rowPlaceOf(row), parseConfidential(confidential));
  } catch (cause) {
    throw unreadable(row, cause);
  }
}

/** Both ways, for everything in which a record travels. */
function sealing(keys: () => KeyRing, tell: TellUnreadable) {
  const seal = {
    instance: (instance: ServiceInstance) => sealed(keys(), instanceRow(instance), instance),
    binding: (binding: ServiceBinding) => sealed(keys(), bindingRow(binding), binding),
    operation: (operation: Operation) => sealed(keys(), operationRow(operation), operation),
    opening: (opening: Opening): Opening => ({
      ...opening,
      operation: seal.operation(opening.operation),
      instance: 'keep' in opening.instance ? opening.instance : changed(opening.instance, seal.instance),
      ...(opening.binding && { binding: changed(opening.binding, seal.binding) }),
    }),
    settlement: (settlement: Settlement): Settlement => ({
      ...settlement,
      ...(settlement.instance && { instance: changed(settlement.instance, seal.instance) }),
      ...(settlement.binding && { binding: changed(settlement.binding, seal.binding) }),
    }),
    /** The confidential part is one whole: what the pause adds to it is added before it is sealed. */
    progress: (held: LeasedOperation, pause: Pause): LeasedOperation => ({
      ...held,
      operation: seal.operation({ ...held.operation, confidential: confidentialAfter(held, pause) }),
    }),
  };
  const open = {
    instance: (instance: ServiceInstance) => opened(keys(), instanceRow(instance), instance, tell),
    binding: (binding: ServiceBinding) => opened(keys(), bindingRow(binding), binding, tell),
    operation: (operation: Operation) =>
      reviveOperation(opened(keys(), operationRow(operation), operation, tell)),
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
  return { seal, open, legible };

  /** Most of it can be read without any key. */
  function legible(operation: Operation): Operation {
    try {
      return open.operation(operation);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return { ...operation, confidential: {} };
    }
  }
}

/** A removal writes nothing. */
function changed<Rec>(change: Change<Rec>, seal: (record: Rec) => Rec): Change<Rec> {
  return 'put' in change ? { put: seal(change.put) } : change;
}

function withoutMemo({ memo: _memo, trace: _trace, ...pause }: Pause): Pause {
  return pause;
}

interface Confidential {
  readonly confidential: object;
}

/** The inner store takes the confidential part for what it is declared as, and never looks into it. */
function sealed<Rec extends Confidential>(keys: KeyRing, row: RowPlace, record: Rec): Rec {
  const text = JSON.stringify(record.confidential);
  return { ...record, confidential: { sealed: sealText(keys, rowPlaceOf(row), text) } };
}

function opened<Rec extends Confidential>(
  keys: KeyRing,
  row: RowPlace,
  record: Rec,
  tell: TellUnreadable,
): Rec {
  try {
    return { ...record, confidential: read(keys, rowPlaceOf(row), record.confidential) };
  } catch (cause) {
    tell(row, (cause as Error).message);
    throw unreadable(row, cause);
  }
}

function read(keys: KeyRing, place: string, confidential: object): object {
  if (isCorrupt(confidential)) throw new Error(`${place} is no JSON object.`);
  if (!isSealed(confidential)) return confidential;
  const value = parseConfidential(openText(keys, place, confidential.sealed));
  if (isCorrupt(value)) throw new Error(`What is encrypted in ${place} is no JSON object.`);
  return value;
}

function isSealed(confidential: object): confidential is { readonly sealed: Sealed } {
  return 'sealed' in confidential;
}

// A confidential part opens only in the row for which it was sealed.

const instanceRow = ({ id }: ServiceInstance): RowPlace => ({ table: 'service_instances', ids: [id] });
const bindingRow = ({ instanceId, id }: ServiceBinding): RowPlace => ({
  table: 'service_bindings',
  ids: [instanceId, id],
});
const operationRow = ({ id }: Operation): RowPlace => ({ table: 'operations', ids: [id] });
