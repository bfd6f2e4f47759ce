import type { Pool } from 'pg';
import { auditEntry } from '../../broker/audit.ts';
import type { Catalog } from '../../broker/catalog.ts';
import type { BrokerContext } from '../../broker/context.ts';
import { Refusal } from '../../broker/errors.ts';
import { tellEnd } from '../../broker/events.ts';
import type { WebhookOffice } from '../../broker/offices/webhooks.ts';
import type { Log } from '../../telemetry/log.ts';
import { type FollowedFile, followFile, warnOfReaders } from '../followed-file.ts';
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

export interface OpenWebhooks {
  readonly office: WebhookOffice;
  readonly worker: Worker;
  /** Reads the receivers again. */
  reload(): Promise<void>;
}

/**
 * What operators ask of webhooks, and the loops that tell their receivers, who are read again when their file changes;
 * without a file nothing runs.
 * @throws Error with a sentence when the file cannot be used
 */
export async function openWebhooks(
  pool: Pool,
  { config: { webhooksFile: file }, log }: WebhookParts,
  context: WebhookContext,
): Promise<OpenWebhooks> {
  const stored = storedWebhooks(pool, context.settings.holder);
  const office = createWebhookOffice(stored, context);
  if (file === undefined) {
    await stored.retire();
    return {
      office,
      worker: { wake: () => undefined, stop: async () => undefined },
      reload: async () => undefined,
    };
  }
  const loops = tellingLoops(stored, context);
  const receivers = await followReceivers(file, log, (read) => {
    loops.tell(read);
    void keep();
  });
  const register = () => stored.register(receivers.present().map((one) => rowOf(one, context.catalog())));
  const keep = () =>
    register()
      .then(() => stored.prune(context.settings.retention))
      .then(() => stored.retire())
      .catch((error: unknown) =>
        context.observe({ type: 'trouble', doing: 'telling who is told by webhooks', detail: String(error) }),
      );
  await (receivers.present().length > 0 ? register() : stored.retire()).catch((error: unknown) => {
    receivers.close();
    throw error;
  });
  const rounds = startRounds(() => keep().then(() => registerEvery), registerEvery);
  loops.tell(receivers.present());
  return {
    office,
    worker: {
      wake: () => loops.wake(),
      async stop(withinMs) {
        receivers.close();
        await Promise.all([rounds.stop(), loops.stop(withinMs)]);
      },
    },
    reload: () => receivers.reload(),
  };
}

function followReceivers(
  file: string,
  log: WebhookParts['log'],
  onChange: (receivers: readonly Receiver[]) => void,
): Promise<FollowedFile<readonly Receiver[]>> {
  return followFile({
    variable: 'WEBHOOKS_FILE',
    file,
    what: 'receivers',
    read: (bytes) => readReceivers(file, bytes, log),
    filesIn: (read) => read.flatMap(({ caFile }) => caFile ?? []),
    afterRead: () => warnOfReaders('WEBHOOKS_FILE', file, log),
    onChange,
    countsOf: (read) => ({ receivers: read.length }),
    log,
  });
}

interface TellingLoops extends Worker {
  /** These from now on, and no others; what is on its way to another one ends as it may. */
  tell(receivers: readonly Receiver[]): void;
}

/** Milliseconds for what is on its way to a receiver that is one no longer: as long as an answer may take. */
const lastAnswer = 10_000;

function tellingLoops(stored: StoredWebhooks, context: WebhookContext): TellingLoops {
  const running = new Map<string, Worker>();
  let isStopped = false;
  const start = (receiver: Receiver) =>
    startWorker({
      work: deliveryWork({ stored, context }, receiver),
      what: 'webhooks to be told',
      concurrency: atOnce,
      observe: context.observe,
    });
  return {
    tell(receivers) {
      if (isStopped) return;
      const wanted = new Map(receivers.map((one) => [JSON.stringify(one), one]));
      for (const [key, worker] of [...running].filter(([one]) => !wanted.has(one))) {
        running.delete(key);
        void worker.stop(lastAnswer);
      }
      for (const [key, receiver] of wanted) if (!running.has(key)) running.set(key, start(receiver));
    },
    wake: () => running.forEach((one) => one.wake()),
    async stop(withinMs) {
      isStopped = true;
      await Promise.all([...running.values()].map((one) => one.stop(withinMs)));
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
