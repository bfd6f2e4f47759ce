// Links by which people without a login see the dashboard of one instance for a while.
import type { Broker } from '../../../broker/broker.ts';
import type { Handler } from '../../protocol.ts';
import { ofInstance } from '../list-queries.ts';
import { ok } from '../replies.ts';
import { originOf, requireInstanceId } from '../requests.ts';
import type { OperatorRoute } from '../route.ts';
import { requireLinkBody } from '../shapes.ts';
import { type DashboardLinkAnswer, dashboardLinkAnswer, linkBody } from '../wire/dashboards.ts';

/** The part of the table of routes that is of dashboards. */
export const dashboardRoutes = {
  'instances dashboard-link': {
    method: 'POST',
    path: '/operator/instances/:instanceId/dashboard-link',
    summary: 'Makes an address that opens the dashboard of an instance for whoever has it, until it expires.',
    query: ofInstance,
    body: linkBody,
    answers: { 200: dashboardLinkAnswer },
  },
} as const satisfies Readonly<Record<string, OperatorRoute>>;

export type DashboardLinker = Pick<Broker, 'dashboardLink'>;

const usualMs = 3_600_000;

export function dashboardEndpoints(broker: DashboardLinker) {
  return {
    async 'instances dashboard-link'(call) {
      const { for: forMs = usualMs } = requireLinkBody(call.body ?? {});
      const command = { instanceId: requireInstanceId(call), forMs, origin: originOf(call) };
      const { url, until } = await broker.dashboardLink(command);
      return ok<DashboardLinkAnswer>({ url, expires_at: until.toISOString() });
    },
  } satisfies Readonly<Record<string, Handler>>;
}
