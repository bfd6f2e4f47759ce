import type { FoundInstance, Operation, OperationKind } from './records.ts';

/**
 * What becomes of an operation that is asked for while another one is open: it runs `beside` it; it must wait until
 * that one has ended (`busy`); it `cancels` it; or it cancels it as long as nobody has begun with it, and is busy from
 * then on (`cancels unbegun`).
 */
export type Meeting = 'beside' | 'busy' | 'cancels' | 'cancels unbegun';

type BindingKind = 'bind' | 'unbind';

/** As far as the table is concerned; an operation of the instance itself has no binding. */
export type Meets = Pick<Operation, 'kind' | 'bindingId'>;

const allBusy = {
  provision: 'busy',
  update: 'busy',
  deprovision: 'busy',
  start: 'busy',
  stop: 'busy',
  restart: 'busy',
  bind: 'busy',
  unbind: 'busy',
  backup: 'busy',
  restore: 'busy',
  action: 'busy',
  adopt: 'busy',
} as const;

/**
 * Which operations of one instance may meet, whoever asks: platforms, operators, or the monitor, whose operation is a
 * restart; docs/lifecycle.md shows it as a table. Of bind against bind or unbind it is the same binding, else
 * `betweenBindings` counts.
 *
 * That one asks for the same thing again, and is told of the operation that is open, is no meeting: nothing is opened.
 * An update that somebody has begun with is not cancelled: what it has made for the new plan only it can undo. One that
 * nobody has begun with may wait for its node for ever.
 *
 * Decisions go by this table, and both stores refuse by it in the one write that opens an operation. The row of an
 * instance names one open operation, so no two of the instance itself can ever be `beside` each other.
 */
export const exclusion: Readonly<Record<OperationKind, Readonly<Record<OperationKind, Meeting>>>> = {
  provision: allBusy,
  update: allBusy,
  deprovision: {
    ...allBusy,
    provision: 'cancels',
    update: 'cancels unbegun',
    start: 'cancels',
    stop: 'cancels',
    restart: 'cancels',
    backup: 'cancels',
    restore: 'cancels',
    action: 'cancels',
  },
  start: allBusy,
  stop: allBusy,
  restart: allBusy,
  bind: allBusy,
  unbind: { ...allBusy, bind: 'cancels' },
  backup: allBusy,
  restore: allBusy,
  action: allBusy,
  adopt: allBusy,
};

/** As `exclusion`, for operations of two bindings of one instance: they have nothing to do with each other. */
export const betweenBindings: Readonly<Record<BindingKind, Readonly<Record<BindingKind, Meeting>>>> = {
  bind: { bind: 'beside', unbind: 'beside' },
  unbind: { bind: 'beside', unbind: 'beside' },
};

/** Of two operations of one instance. */
export function meetingOf(asked: Meets, open: Meets): Meeting {
  const isOfTwo = asked.bindingId !== undefined && open.bindingId !== undefined;
  return isOfTwo && asked.bindingId !== open.bindingId
    ? betweenBindings[asked.kind as BindingKind][open.kind as BindingKind]
    : exclusion[asked.kind][open.kind];
}

/** May an operation be opened beside all that are open of its instance, of which it cancels the one that is named? */
export function mayOpen(asked: Meets, open: readonly Operation[], cancels: string | undefined): boolean {
  return open.every((one) => {
    const meeting = meetingOf(asked, one);
    return one.id === cancels ? isCancelled(meeting, one) : meeting === 'beside';
  });
}

function isCancelled(meeting: Meeting, { attempt }: Operation): boolean {
  return meeting === 'cancels' || (meeting === 'cancels unbegun' && attempt === 0);
}

/** What is known of an instance before an operation on it, or on one of its bindings, is decided. */
type Situation = Pick<FoundInstance, 'operation' | 'bindingsBusy'>;

/**
 * What has to be done before an operation is opened: nothing, to cancel another one, or to wait.
 * @param own of a bind or unbind: what is open on its own binding
 */
export function meet(
  kind: OperationKind,
  { operation, bindingsBusy }: Situation,
  own?: Operation,
): 'busy' | { readonly cancels?: Operation } {
  const open = [operation, own].filter((one) => one !== undefined);
  const met = open.map((one) => ({ one, meeting: exclusion[kind][one.kind] }));
  const isBusy = met.some(({ one, meeting }) => meeting !== 'beside' && !isCancelled(meeting, one));
  if (isBusy || (bindingsBusy && !own && !isBesideBindings(kind))) return 'busy';
  const cancels = met.find(({ one, meeting }) => isCancelled(meeting, one))?.one;
  return cancels ? { cancels } : {};
}

/** What is open on bindings is told without its kind: each must let it pass. */
function isBesideBindings(kind: OperationKind): boolean {
  const row = kind === 'bind' || kind === 'unbind' ? betweenBindings[kind] : exclusion[kind];
  return row.bind === 'beside' && row.unbind === 'beside';
}
