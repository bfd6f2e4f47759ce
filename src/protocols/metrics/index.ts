/** What Prometheus and its relatives scrape: `GET /metrics`, with the login of an operator or a platform. */
import { Refusal } from '../../broker/errors.ts';
import { BadCall, type Protocol, type Realm, type Reply } from '../protocol.ts';

export interface Page {
  readonly bytes: Uint8Array;
  readonly type: string;
}

/**
 * @param page makes the text of all that was counted so far
 * @param readers who may read it
 */
export function metrics(page: () => Promise<Page>, readers: Omit<Realm, 'name'>): Protocol {
  return {
    name: 'metrics',
    open: false,
    realm: { name: 'Metrics', ...readers },
    routes: [
      {
        method: 'GET',
        path: '/metrics',
        handler: async () => ({
          status: 200,
          body: await page(),
        }),
      },
    ],
    refuse,
  };
}

function refuse(error: unknown): Reply {
  if (error instanceof BadCall) {
    return { status: error.status, headers: error.headers, body: { description: error.message } };
  }
  const away = error instanceof Refusal && error.code === 'unavailable';
  return away
    ? { status: 503, body: { description: error.message } }
    : { status: 500, body: { description: 'The broker could not answer this request.' } };
}
