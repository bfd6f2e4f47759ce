// Webhooks: who is told, and what could not be told.
import { Refusal } from '../../../broker/errors.ts';
import type { WebhookOffice } from '../../../broker/offices/webhooks.ts';
import type { Call, Handler } from '../../protocol.ts';
import { ok } from '../replies.ts';
import { originOf, readNumber } from '../requests.ts';
import { requireRetryWebhooksBody } from '../shapes.ts';
import type { DeadWebhooksAnswer, ReceiversAnswer, RetriedWebhooksAnswer } from '../wire/webhooks.ts';
import type { webhookRoutes } from './routes.ts';

export function webhookEndpoints(
  office: WebhookOffice,
): Readonly<Record<keyof typeof webhookRoutes, Handler>> {
  return {
    async webhooks() {
      const webhooks = (await office.list()).map(({ oldestWaiting, seenAt, ...rest }) => ({
        ...rest,
        oldest_waiting: oldestWaiting?.toISOString(),
        seen_at: seenAt.toISOString(),
      }));
      return ok<ReceiversAnswer>({ webhooks });
    },
    async 'webhooks dead'(call) {
      const limit = readNumber(call.query, 'limit', 100, 1000);
      const found = await office.dead(requireReceiver(call), limit);
      const messages = found.map(({ instanceId, operationId, createdAt, ...rest }) => ({
        ...rest,
        instance_id: instanceId,
        operation_id: operationId,
        created_at: createdAt.toISOString(),
      }));
      return ok<DeadWebhooksAnswer>({ messages });
    },
    async 'webhooks retry'(call) {
      const { id } = requireRetryWebhooksBody(call.body ?? {});
      const receiver = requireReceiver(call);
      return ok<RetriedWebhooksAnswer>({
        retried: await office.retry({ receiver, id, origin: originOf(call) }),
      });
    },
  };
}

function requireReceiver({ params: { receiver = '' } }: Call): string {
  if (/^[a-z0-9][a-z0-9._-]{0,62}$/.test(receiver)) return receiver;
  throw new Refusal('not-found', 'There is no receiver of webhooks with this name.');
}
