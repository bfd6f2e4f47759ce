// Tells receivers what is to be told: each in a loop of its own, so that one that hangs holds up no other.
import type { BrokerContext } from '../../broker/context.ts';
import { backoff } from '../../broker/timing.ts';
import type { WorkSource } from '../loops/worker.ts';
import type { Receiver } from './read.ts';
import { send } from './send.ts';
import type { Delivery, StoredWebhooks } from './stored.ts';

export interface DeliverParts {
  readonly stored: Pick<StoredWebhooks, 'claim' | 'nextDue' | 'delivered' | 'failed'>;
  readonly context: Pick<BrokerContext, 'observe' | 'catalog'>;
}

/** Milliseconds after which what a broker was telling when it died is told by another one. */
const lease = 30_000;
/** Between two looks. */
const lookEvery = 1000;
/** Between two tries. */
const pauses = { first: 5000, longest: 3_600_000 };
/** After which it is given up. */
const longest = 86_400_000;

export function deliveryWork({ stored, context }: DeliverParts, receiver: Receiver): WorkSource {
  return {
    async take() {
      const delivery = await stored.claim(receiver.name, lease);
      if (delivery) return { ended: deliver({ stored, context }, receiver, delivery) };
      return { sleepMs: Math.min((await stored.nextDue(receiver.name)) ?? lookEvery, lookEvery) };
    },
  };
}

/** Never rejects. */
async function deliver(
  { stored, context }: DeliverParts,
  receiver: Receiver,
  delivery: Delivery,
): Promise<void> {
  const told = (result: 'delivered' | 'failed' | 'dead', detail?: string) => {
    const { id, event } = delivery;
    context.observe({ type: 'webhook-tried', receiver: receiver.name, id, event, result, detail });
  };
  try {
    const why = await send(receiver, { id: delivery.id, body: bodyOf(context, delivery) }).then(
      () => undefined,
      (error: unknown) => (error as Error).message,
    );
    if (why === undefined) {
      await stored.delivered(delivery.id);
      return told('delivered');
    }
    const againMs = backoff(delivery.tries, pauses);
    const isOver = delivery.age + againMs > longest;
    await stored.failed(delivery, why, isOver ? undefined : againMs);
    told(isOver ? 'dead' : 'failed', why);
  } catch (error) {
    context.observe({ type: 'trouble', doing: 'telling a webhook', detail: String(error) });
  }
}

/** With the names that people know, as far as the catalog has them. */
function bodyOf({ catalog }: DeliverParts['context'], { event, data, createdAt }: Delivery): string {
  const { offering_id: offeringId, plan_id: planId } = data as Readonly<Record<string, unknown>>;
  const offering = catalog().offerings.find(({ id }) => id === offeringId);
  const plan = offering?.plans.find(({ id }) => id === planId);
  return JSON.stringify({
    type: event,
    timestamp: createdAt.toISOString(),
    data: { ...data, offering: offering?.name, plan: plan?.name },
  });
}
