// Pages that change while somebody looks at them, as streams of events (HTML, Server-sent events).
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { securityHeaders } from './page.ts';
import type { Call, FollowedBody, Reply } from './protocol.ts';

/** What is on a page now. */
export interface LiveView {
  readonly html: string;
  /** Does it change by itself? */
  readonly live: boolean;
}

/** Milliseconds between two looks, and after which a browser whose stream has ended asks for another. */
const looksAgain = 3000;
/** Milliseconds after which something is sent in any case, or proxies take the connection for dead. */
const longestSilence = 15_000;
/** Milliseconds after which a stream ends: the browser asks again, with whatever login it has then. */
const longestStream = 300_000;
/** Streams that go on at once; those above end with their first event, and browsers ask again. */
const mostStreams = 100;

let open = 0;

export function wantsEvents({ headers }: Pick<Call, 'headers'>): boolean {
  return headers['accept'] === 'text/event-stream';
}

/**
 * An event with what is on a page whenever that has changed since the last one; what the browser says that it has is not
 * sent again. A page that will not change any more says so by an event `end`.
 * @param look what it throws the first time is the answer, and later ends the stream
 */
export async function eventsReply(
  call: Pick<Call, 'headers'>,
  look: () => Promise<LiveView>,
): Promise<Reply> {
  const known = call.headers['last-event-id'];
  const first = await look();
  const body: FollowedBody = {
    follow: (signal) => events(first, known, look, signal),
    type: 'text/event-stream; charset=utf-8',
  };
  // Proxies that gather answers would hold events back.
  return { status: 200, headers: { ...securityHeaders, 'X-Accel-Buffering': 'no' }, body };
}

async function* events(
  first: LiveView,
  has: string | undefined,
  look: () => Promise<LiveView>,
  signal: AbortSignal,
): AsyncIterable<string> {
  const ends = performance.now() + (open < mostStreams ? longestStream : 0);
  open += 1;
  try {
    yield `retry: ${looksAgain}\n\n`;
    let known = has;
    let told = performance.now();
    for (let view = first; ; view = await look()) {
      const id = idOf(view);
      const isNew = id !== known;
      if (isNew) yield `id: ${id}\ndata: ${JSON.stringify(view.html)}\n\n`;
      else if (performance.now() - told > longestSilence) yield ':\n\n';
      if (isNew || performance.now() - told > longestSilence) told = performance.now();
      known = id;
      if (!view.live) yield 'event: end\ndata:\n\n';
      if (!view.live || performance.now() >= ends) return;
      await pause(looksAgain, undefined, { signal, ref: false });
    }
  } finally {
    open -= 1;
  }
}

function idOf({ html }: LiveView): string {
  return createHash('sha256').update(html).digest('base64url');
}
