import { betweenBindings, exclusion, type Meeting } from '../../../src/broker/exclusion.ts';
import type {
  Operation,
  OperationKind,
  ServiceBinding,
  ServiceInstance,
} from '../../../src/broker/records.ts';
import type { Opening } from '../../../src/broker/store.ts';
import type { MakeRemembered } from './remembered.ts';
import { aBindingIn, anInstanceIn, begun, binding, long, numbered, open, unbinding } from './steps.ts';
import { brokersOf, type Remembered } from './remembered.ts';

const kinds = Object.keys(exclusion) as readonly OperationKind[];

/** One cell of the table: what is open, what is asked for beside it, and of which binding. */
interface Pair {
  readonly open: OperationKind;
  readonly asked: OperationKind;
  readonly meeting: Meeting;
  readonly ofAnother?: boolean;
}

const pairs: readonly Pair[] = [
  ...kinds.flatMap((asked) => kinds.map((one) => ({ open: one, asked, meeting: exclusion[asked][one] }))),
  ...(['bind', 'unbind'] as const).flatMap((asked) =>
    (['bind', 'unbind'] as const).map((one) => ({
      open: one,
      asked,
      meeting: betweenBindings[asked][one],
      ofAnother: true,
    })),
  ),
];

const titled = pairs.map((pair) => {
  const which = pair.ofAnother ? `${pair.asked} of another binding` : pair.asked;
  return [`${which} while ${pair.open} is open: ${pair.meeting}`, pair] as const;
});

/** Every pair of operation kinds, as the table of the core has it, asked of the store. */
export function describeExclusion(makeRemembered: MakeRemembered): void {
  let remembered: Remembered;
  beforeEach(async () => {
    remembered = await makeRemembered();
  });

  test.each(titled)('Of two operations, %s', async (_title, pair) => {
    for (const attempt of [0, 1]) {
      const { opening, asked } = await prepared(pair, `i${attempt}`);
      const held = attempt > 0 ? { attempt, holder: 'request' } : {};
      await open(remembered.store, { ...opening, operation: { ...opening.operation, ...held } });
      await expectMeeting(pair.meeting, opening.operation, attempt, asked);
    }
  });

  test.each(titled)('%s, also when both are opened at once by two brokers', async (_title, pair) => {
    const brokers = brokersOf(remembered);
    for (const n of numbered(8)) {
      const { opening, asked } = await prepared(pair, `i${n}`);
      const second = await asked();
      const one = () => brokers(n).store.open(opening);
      const other = () => brokers(n + 1).store.open(second);
      const opened = await Promise.all(n % 4 < 2 ? [one(), other()] : [other(), one()]);
      expect(opened.filter(Boolean)).toHaveLength(pair.meeting === 'beside' ? 2 : 1);
    }
  });

  test('Of twelve of all kinds that are opened at once, those that went through may all be beside each other.', async () => {
    const brokers = brokersOf(remembered);
    for (const round of numbered(6)) {
      const id = `i${round}`;
      const instance = await anInstanceIn(remembered.store, { id });
      const bound = await Promise.all(
        numbered(3).map((n) => aBindingIn(remembered.store, instance, { id: `b${n}` })),
      );
      const read = (await remembered.store.findInstance(id))?.instance ?? instance;
      const openings = numbered(12).map((n) => {
        const kind = kinds[(n + round) % kinds.length] ?? 'bind';
        return openingOf(kind, read, kind === 'bind' ? aNewBinding(id, `n${n}`) : bound[n % 3]);
      });
      const results = await Promise.all(openings.map((one, n) => brokers(n).store.open(one)));
      const through = openings.filter((_, n) => results[n]).map(({ operation }) => operation);
      expect(through.length).toBeGreaterThan(0);
      for (const one of through)
        for (const other of through.filter(({ id: its }) => its !== one.id))
          expect([one, other].map(({ kind }) => kind === 'bind' || kind === 'unbind')).toEqual([true, true]);
    }
  });

  async function expectMeeting(
    meeting: Meeting,
    there: Operation,
    attempt: number,
    asked: () => Promise<Opening>,
  ): Promise<void> {
    const plain = await remembered.store.open(await asked());
    expect(plain).toBe(meeting === 'beside');
    if (meeting === 'beside') return;
    const opening = await asked();
    const isCancelled = meeting === 'cancels' || (meeting === 'cancels unbegun' && attempt === 0);
    expect(await remembered.store.open({ ...opening, cancels: there.id })).toBe(isCancelled);
    const { operation } = await remembered.store.lastOperation({
      instanceId: there.instanceId,
      operationId: there.id,
      ...(there.bindingId === undefined ? {} : { bindingId: there.bindingId }),
    });
    expect(operation?.state).toBe(isCancelled ? 'failed' : 'in progress');
  }

  /** What is to be opened first, and what is asked for then, each time on what there is at that moment. */
  async function prepared(
    { open: first, asked, ofAnother = false }: Pair,
    id: string,
  ): Promise<{ opening: Opening; asked: () => Promise<Opening> }> {
    const instance = await anInstanceIn(remembered.store, { id });
    const [own, other] = [await bindingFor(first, 'b1'), await bindingFor(asked, 'b2')];
    const read = async () => (await remembered.store.findInstance(id))?.instance ?? instance;
    const opening = openingOf(first, await read(), own);
    return {
      opening,
      asked: async () =>
        openingOf(asked, await read(), ofAnother ? other : ((await sameBinding(asked, 'b1')) ?? own)),
    };

    async function bindingFor(kind: OperationKind, name: string): Promise<ServiceBinding> {
      return kind === 'bind' ? aNewBinding(id, name) : aBindingIn(remembered.store, instance, { id: name });
    }

    /** As it is now; a bind of one that is there comes anew. */
    async function sameBinding(kind: OperationKind, name: string): Promise<ServiceBinding | undefined> {
      const { binding: there } = await remembered.store.findBinding(id, name);
      return kind === 'bind' ? aNewBinding(id, name) : there;
    }
  }
}

function aNewBinding(instanceId: string, id: string): ServiceBinding {
  const { binding: change } = binding({ id: instanceId } as ServiceInstance, { id });
  if (!change || !('put' in change)) throw new Error('A bind puts its binding.');
  return change.put;
}

/** One of this kind that nobody holds yet. */
function openingOf(kind: OperationKind, instance: ServiceInstance, of?: ServiceBinding): Opening {
  if (kind === 'bind') return binding(instance, of);
  if (kind === 'unbind' && of) return unbinding(instance, of);
  return {
    operation: begun(kind, { instanceId: instance.id }),
    leaseMs: long,
    instance: { put: instance },
  };
}
