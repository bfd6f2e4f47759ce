import type { Pool } from 'pg';
import { auditEntry } from '../../broker/audit.ts';
import type { Catalog } from '../../broker/catalog.ts';
import type { BrokerContext } from '../../broker/context.ts';
import { Refusal } from '../../broker/errors.ts';
import { tellEnd } from '../../broker/events.ts';
import type { WebhookOffice } from '../../broker/offices/webhooks.ts';
import type { Log } from '../../telemetry/log.ts';
import { startRounds } from '../loops/rounds.ts';
import { startWorker, type Worker } from '../loops/worker.ts';
import { deliveryWork } from './deliver.ts';
import { readReceivers, type Receiver } from './read.ts';
import { storedWebhooks, type StoredReceiver, type StoredWebhooks } from './stored.ts';

export type WebhookContext = Pick<BrokerContext, 'observe' | 'newId' | 'settings' | 'catalog'>;

/** Messages that are on the way to one receiver at once. */
const atOnce = 4;
/** Milliseconds between two times that the receivers are told to the database. */
const registerEvery = 60_000;

interface WebhookParts {
  readonly config: { readonly webhooksFile: string | undefined };
  readonly log: Pick<Log, 'note' | 'hide'>;
}

/**
 * What operators ask of webhooks, and the loops that tell them; without receivers nothing runs.
 * @throws Error with a sentence when the file cannot be used
 */
export async function openWebhooks(
  pool: Pool,
  { config, log }: WebhookParts,
  context: WebhookContext,
): Promise<{ readonly office: WebhookOffice; readonly worker: Worker }> {
  const receivers = readReceivers(config.webhooksFile, log);
  const stored = storedWebhooks(pool, context.settings.holder);
  const office = createWebhookOffice(stored, context);
  const register = () => stored.register(receivers.map((one) => rowOf(one, context.catalog())));
  await (receivers.length > 0 ? register() : stored.retire());
  if (receivers.length === 0)
    return { office, worker: { wake: () => undefined, stop: async () => undefined } };
  const rounds = startRounds(async () => {
    await register()
      .then(() => stored.prune(context.settings.retention))
      .catch((error: unknown) =>
        context.observe({ type: 'trouble', doing: 'telling who is told by webhooks', detail: String(error) }),
      );
    return registerEvery;
  }, registerEvery);
  const workers = receivers.map((receiver) =>
    startWorker({
      work: deliveryWork({ stored, context }, receiver),
      what: 'webhooks to be told',
      concurrency: atOnce,
      observe: context.observe,
    }),
  );
  return {
    office,
    worker: {
      wake: () => workers.forEach((one) => one.wake()),
      async stop(withinMs) {
        await Promise.all([rounds.stop(), ...workers.map((one) => one.stop(withinMs))]);
      },
    },
  };
}

/** Offerings by id: also those that are named, as far as the catalog knows them. */
function rowOf({ name, url, events, offerings }: Receiver, catalog: Catalog): StoredReceiver {
  const named = catalog.offerings.filter((one) => offerings?.includes(one.name));
  return {
    name,
    target: url.origin,
    events,
    offerings: offerings && [...offerings, ...named.map(({ id }) => id)],
  };
}

function createWebhookOffice(stored: StoredWebhooks, context: WebhookContext): WebhookOffice {
  async function dead(receiver: string, limit: number) {
    const found = await stored.dead(receiver, limit);
    if (found) return found;
    throw new Refusal('not-found', 'There is no receiver of webhooks with this name.');
  }
  return {
    list: () => stored.list(),
    dead,
    retry({ receiver, id, origin }) {
      const summary = () => ({ kind: 'retry-webhooks', receiver }) as const;
      return tellEnd(context.observe, { origin, summary }, async () => {
        await dead(receiver, 1);
        const audit = auditEntry(context, origin, {
          verb: 'retry-webhooks',
          object: { kind: 'webhooks', id: receiver },
          after: id === undefined ? undefined : { id },
          outcome: 'succeeded',
        });
        return stored.retry(receiver, id, audit);
      });
    },
  };
}
