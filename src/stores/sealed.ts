// A store made from a store: all that is confidential lies encrypted in the inner one.
import type { Pause, Store } from '../broker/store.ts';
import { type ConfidentialRow, parseConfidential } from './operation-rows.ts';
import type { KeyRing } from './keyring.ts';
import { openText, sealText } from './sealed-text.ts';
import { sealedBooks } from './backups/sealed-books.ts';
import { sealedAudit, sealedEntry } from './sealed-audit.ts';
import { isSealed, readConfidential } from './confidential.ts';
import { legibly, opener, sealer } from './sealing.ts';
import { claimReadable, rowPlaceOf, type TellUnreadable, tellingSeldom } from './unreadable.ts';

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
  const ring = typeof keys === 'function' ? keys : () => keys;
  const seal = sealer(ring);
  const told = tellingSeldom(tell);
  const open = opener(ring, told);
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
    ...byHand(inner, ring, legibly(ring, open)),
    ...reading(inner, legibly(ring, open)),
    audit: sealedAudit(inner.audit, ring, told),
    backups: sealedBooks(inner.backups, ring, told),
    leftBinding: (instanceId) => inner.leftBinding(instanceId).then((one) => one && open.binding(one)),
    claimUnitCheck: (node) =>
      claimReadable(
        () => inner.claimUnitCheck(node),
        (check) => ({ ...check, instance: open.instance(check.instance) }),
      ),
  };
}

/** What operators end. */
function byHand(
  inner: Store,
  ring: () => KeyRing,
  legible: ReturnType<typeof legibly>,
): Pick<Store, 'purge' | 'cancel' | 'mark'> {
  return {
    mark: (what, audit) => inner.mark(what, sealedEntry(ring(), audit)),
    async purge(what, failure, audit) {
      const ended = await inner.purge(what, failure, sealedEntry(ring(), audit));
      return ended?.map(legible.operation);
    },
    async cancel(operationId, failure, audit) {
      const asked = await inner.cancel(operationId, failure, sealedEntry(ring(), audit));
      return asked && legible.operation(asked);
    },
  };
}

/** For those who ask only how things are. */
function reading(
  inner: Store,
  legible: ReturnType<typeof legibly>,
): Pick<Store, 'lastOperation' | 'history' | 'list' | 'listOperations'> {
  return {
    async lastOperation(query) {
      const { operation, ...rest } = await inner.lastOperation(query);
      return { ...(operation && { operation: legible.operation(operation) }), ...rest };
    },
    history: async (instanceId, limit) => (await inner.history(instanceId, limit)).map(legible.operation),
    async listOperations(query) {
      const { operations, next } = await inner.listOperations(query);
      return { operations: operations.map(legible.operation), next };
    },
    async list(query) {
      const listed = await inner.list(query);
      return listed.map((one) => ({ ...one, instance: legible.instance(one.instance) }));
    },
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
    readConfidential(keys, place, confidential);
    if (!isSealed(confidential)) return JSON.stringify({ sealed: sealText(keys, place, stored) });
    if (confidential.sealed.key === newest.id) return undefined;
    return JSON.stringify({ sealed: sealText(keys, place, openText(keys, place, confidential.sealed)) });
  };
}

function withoutMemo({ memo: _memo, trace: _trace, ...pause }: Pause): Pause {
  return pause;
}
