// A store made from a store: all that is confidential lies encrypted in the inner one.
import type { FoundInstance, Operation, ServiceBinding, ServiceInstance } from '../broker/records.ts';
import type { Change, Held, Opening, Pause, Settlement, Store } from '../broker/store.ts';
import { type ConfidentialRow, confidentialAfter, reviveOperation } from './confidential.ts';
import { type KeyRing, openText, type Sealed, sealText } from './keyring.ts';

/**
 * The newest key of the ring encrypts, any of them decrypts; a row under another one is an Error that names the
 * key. Rows that were written before there were keys are read as they are, until `resealer` has been over them.
 */
export function sealedStore(inner: Store, keys: KeyRing): Store {
  const { seal, open } = sealing(keys);
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
    claim: (holder, leaseMs, node) => claimReadable(() => inner.claim(holder, leaseMs, node), open.held),
    postpone: (held, pause) => inner.postpone(seal.progress(held, pause), withoutMemo(pause)),
    settle: (held, settlement) => inner.settle(held, seal.settlement(settlement)),
    async lastOperation(query) {
      const { operation, ...rest } = await inner.lastOperation(query);
      return { ...(operation && { operation: open.operation(operation) }), ...rest };
    },
    async leftBinding(instanceId) {
      const binding = await inner.leftBinding(instanceId);
      return binding && open.binding(binding);
    },
    history: async (instanceId, limit) => (await inner.history(instanceId, limit)).map(open.operation),
    claimCheck: (node) =>
      claimReadable(
        () => inner.claimCheck(node),
        (check) => ({ ...check, instance: open.instance(check.instance) }),
      ),
  };
}

/** Claims in a row that may give what cannot be read. */
const mostUnreadable = 100;

/** One that cannot be read must not hide those that are due after it: it is told when there is no other. */
async function claimReadable<Claimed>(
  claim: () => Promise<Claimed | undefined>,
  read: (claimed: Claimed) => Claimed,
): Promise<Claimed | undefined> {
  let trouble: Error | undefined;
  for (let tries = 0; tries < mostUnreadable; tries += 1) {
    const claimed = await claim();
    if (!claimed) break;
    try {
      return read(claimed);
    } catch (error) {
      trouble = error as Error;
    }
  }
  if (trouble) throw trouble;
  return undefined;
}

/**
 * Encrypts anew what lies in a row under an older key, or under none; undefined when it lies under the newest one.
 * When all rows have been through it, and all brokers have the newest key, the older ones can be retired.
 */
export function resealer(keys: KeyRing): (row: ConfidentialRow) => string | undefined {
  const [newest] = keys;
  return function reseal({ table, ids, confidential: stored }) {
    const place = placeOf(table, ids);
    const confidential: unknown = JSON.parse(stored);
    if (!isSealed(confidential)) return JSON.stringify({ sealed: sealText(keys, place, stored) });
    if (confidential.sealed.key === newest.id) return undefined;
    return JSON.stringify({ sealed: sealText(keys, place, openText(keys, place, confidential.sealed)) });
  };
}

/** Both ways, for everything in which a record travels. */
function sealing(keys: KeyRing) {
  const seal = {
    instance: (instance: ServiceInstance) => sealed(keys, instancePlace(instance), instance),
    binding: (binding: ServiceBinding) => sealed(keys, bindingPlace(binding), binding),
    operation: (operation: Operation) => sealed(keys, operationPlace(operation), operation),
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
    progress: (held: Held, pause: Pause): Held => ({
      ...held,
      operation: seal.operation({ ...held.operation, confidential: confidentialAfter(held, pause) }),
    }),
  };
  const open = {
    instance: (instance: ServiceInstance) => opened(keys, instancePlace(instance), instance),
    binding: (binding: ServiceBinding) => opened(keys, bindingPlace(binding), binding),
    operation: (operation: Operation) => reviveOperation(opened(keys, operationPlace(operation), operation)),
    found: ({ instance, operation, ...rest }: FoundInstance): FoundInstance => ({
      ...rest,
      instance: open.instance(instance),
      ...(operation && { operation: open.operation(operation) }),
    }),
    held: ({ operation, instance, binding, remainingMs }: Held): Held => ({
      operation: open.operation(operation),
      instance: open.instance(instance),
      ...(binding && { binding: open.binding(binding) }),
      remainingMs,
    }),
  };
  return { seal, open };
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
function sealed<Rec extends Confidential>(keys: KeyRing, place: string, record: Rec): Rec {
  return {
    ...record,
    confidential: { sealed: sealText(keys, place, JSON.stringify(record.confidential)) },
  };
}

function opened<Rec extends Confidential>(keys: KeyRing, place: string, record: Rec): Rec {
  if (!isSealed(record.confidential)) return record;
  return {
    ...record,
    confidential: JSON.parse(openText(keys, place, record.confidential.sealed)) as unknown,
  };
}

function isSealed(confidential: unknown): confidential is { readonly sealed: Sealed } {
  return typeof confidential === 'object' && confidential !== null && 'sealed' in confidential;
}

// A confidential part opens only in the row for which it was sealed.

const instancePlace = ({ id }: ServiceInstance) => placeOf('service_instances', [id]);
const bindingPlace = ({ instanceId, id }: ServiceBinding) => placeOf('service_bindings', [instanceId, id]);
const operationPlace = ({ id }: Operation) => placeOf('operations', [id]);

function placeOf(table: string, ids: readonly string[]): string {
  return `${table} ${JSON.stringify(ids)}`;
}
