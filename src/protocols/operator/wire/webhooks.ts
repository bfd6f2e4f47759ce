import { body, list, maybe, named, object, text, time, whole, type ValueOf } from './shape.ts';

const receiver = object({
  name: text(),
  target: text('Where it is told, without path and query.'),
  events: maybe(list(text(), 'Absent: all.')),
  offerings: maybe(list(text(), 'Absent: all.')),
  waiting: whole('What is still to be told.'),
  dead: whole('What was given up.'),
  oldest_waiting: maybe(time()),
  trouble: maybe(text('What the latest try failed with, of what waits.')),
  seen_at: time('When a broker last had it; a day later it is told nothing more.'),
});
export const receiversAnswer = named(
  'WebhookReceivers',
  object({ webhooks: list(named('WebhookReceiver', receiver)) }),
);
export type ReceiversAnswer = ValueOf<typeof receiversAnswer>;
export type ReceiverAnswer = ReceiversAnswer['webhooks'][number];

const dead = object({
  id: text('That of the message, as its receiver sees it.'),
  event: text(),
  instance_id: maybe(text()),
  operation_id: maybe(text()),
  tries: whole(),
  trouble: maybe(text('What the last try failed with.')),
  created_at: time(),
});
export const deadWebhooksAnswer = named(
  'DeadWebhooks',
  object({ messages: list(named('DeadWebhook', dead), 'The latest first.') }),
);
export type DeadWebhooksAnswer = ValueOf<typeof deadWebhooksAnswer>;

export const retryWebhooksBody = body({
  id: maybe(
    text('Only this message; absent: all that were given up.', {
      minLength: 1,
      maxLength: 100,
      format: 'text',
    }),
  ),
});
export type RetryWebhooksBody = ValueOf<typeof retryWebhooksBody>;

export const retriedWebhooksAnswer = named(
  'RetriedWebhooks',
  object({ retried: whole('How many are told again.') }),
);
export type RetriedWebhooksAnswer = ValueOf<typeof retriedWebhooksAnswer>;
