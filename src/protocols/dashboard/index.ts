import type { Dashboard } from '../../broker/broker.ts';
import { Refusal } from '../../broker/errors.ts';
import { BadCall, type DashboardPage, type Protocol, type Reply } from '../protocol.ts';
import { notice } from './notice.ts';

export interface DashboardSettings {
  /** Those of provisioners that show what they make themselves. The first that knows the call gives the answer. */
  readonly pages: readonly DashboardPage[];
  /** Where the dashboard of an instance is, if it has one at an address of its own. */
  readonly find: (instanceId: string) => Promise<Dashboard>;
}

/**
 * What a `dashboard_url` of the broker's own address opens: `/dashboard/<instance>`. Platforms are told it before there
 * is an instance; it leads there when it exists. No login is asked for, so nothing but the address is told.
 */
export function dashboards({ pages, find }: DashboardSettings): Protocol {
  return {
    name: 'dashboard',
    open: true,
    refuse,
    routes: [
      {
        method: 'GET',
        path: '/dashboard/:instanceId',
        async handler(call) {
          for (const page of pages) {
            const reply = await page(call);
            if (reply) return reply;
          }
          return replyFor(await find(call.params['instanceId'] ?? ''));
        },
      },
    ],
  };
}

function replyFor(dashboard: Dashboard): Reply {
  if (dashboard === 'none') return notice(404, nowhere);
  // People wait for it with the page open.
  if (dashboard === 'not there') return notice(404, notYet, { refresh: '5' });
  const headers = {
    location: dashboard.address,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
  };
  return { status: 302, headers };
}

/** One answer for wrong tokens and unknown instances, so that the page tells nobody which ids exist. */
const nowhere = {
  title: 'There is no dashboard at this address',
  text: 'The instance may have been deleted, or the address is not complete. Your platform shows the whole address of an instance’s dashboard.',
};

const notYet = {
  title: 'The dashboard is not there at the moment',
  text: 'The instance is being made, or is at rest. This page looks again by itself.',
};

function refuse(error: unknown): Reply {
  if (error instanceof BadCall) return trouble(error.status, error.message, error.headers);
  if (error instanceof Refusal && error.code === 'unavailable') return trouble(503, error.message);
  return trouble(500, 'Something went wrong here. Please tell the operator.');
}

function trouble(status: number, text: string, headers?: Reply['headers']): Reply {
  return notice(status, { title: 'The dashboard cannot be shown', text }, headers);
}
