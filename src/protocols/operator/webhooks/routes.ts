import type { OperatorRoute } from '../route.ts';
import { whole } from '../wire/shape.ts';
import {
  deadWebhooksAnswer,
  receiversAnswer,
  retriedWebhooksAnswer,
  retryWebhooksBody,
} from '../wire/webhooks.ts';

/** The part of the table of routes that is of webhooks. */
export const webhookRoutes = {
  webhooks: {
    method: 'GET',
    path: '/operator/webhooks',
    summary: 'Who is told of what happens, and how much could not be told yet.',
    answers: { 200: receiversAnswer },
  },
  'webhooks dead': {
    method: 'GET',
    path: '/operator/webhooks/:receiver/dead',
    summary: 'What was given up after a day of tries.',
    query: { limit: whole('100 where nothing is said.', { minimum: 1, maximum: 1000 }) },
    answers: { 200: deadWebhooksAnswer },
  },
  'webhooks retry': {
    method: 'POST',
    path: '/operator/webhooks/:receiver/retry',
    summary: 'Has what was given up told again.',
    body: retryWebhooksBody,
    answers: { 200: retriedWebhooksAnswer },
  },
} as const satisfies Readonly<Record<string, OperatorRoute>>;
