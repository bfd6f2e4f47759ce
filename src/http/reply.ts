import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Call, FollowedBody, Protocol, Reply } from '../protocols/protocol.ts';

type Headers = Readonly<Record<string, string>>;

export interface Manner {
  /** Headers of the request that come back. */
  readonly echoed: Headers | undefined;
  /** The answer is for whoever has logged in, and may hold credentials. */
  readonly confidential: boolean;
  /** Aborted when the server is to end: then a connection is not to be used again. */
  readonly ending: AbortSignal;
  /** Nor is this one. */
  readonly closing?: boolean;
}

/** Seconds after which whoever was told 503 may ask again, where the answer itself does not say. */
export const retryAfter = '5';

/**
 * Writes an answer; nothing else does.
 * @returns the bytes of its body; none of what is still to come.
 */
export function writeReply(
  response: ServerResponse,
  { status, headers, body }: Reply,
  { echoed, confidential, ending, closing = ending.aborted }: Manner,
): number {
  const followed = followedIn(body);
  const { content, type, length } = contentOf(followed ? undefined : body);
  response.writeHead(status, {
    ...(content === undefined ? undefined : { 'Content-Type': type, 'Content-Length': length }),
    ...(followed ? { 'Content-Type': followed.type } : undefined),
    ...(status === 503 ? { 'Retry-After': retryAfter } : undefined),
    'X-Content-Type-Options': 'nosniff',
    ...(confidential ? { 'Cache-Control': 'no-store' } : undefined),
    ...headers,
    ...echoed,
    ...(closing ? { Connection: 'close' } : undefined),
  });
  if (followed) void writeFollowed(response, followed, ending);
  else response.end(content);
  return length;
}

function followedIn(body: Reply['body']): FollowedBody | undefined {
  return body && 'follow' in body && typeof body.follow === 'function' ? (body as FollowedBody) : undefined;
}

interface Content {
  readonly content?: Uint8Array;
  readonly type: string;
  readonly length: number;
}

function contentOf(body: Reply['body']): Content {
  if (body === undefined) return { type: '', length: 0 };
  if ('bytes' in body && body.bytes instanceof Uint8Array) {
    return { content: body.bytes, type: body.type, length: body.bytes.length };
  }
  // As bytes: node:http would send echoed headers as UTF-8 when a text follows them.
  const content = Buffer.from(JSON.stringify(body));
  return { content, type: 'application/json', length: content.length };
}

/** The request's headers that come back as they were sent. */
export function echoBack({ echoedHeaders }: Protocol, headers: Call['headers']): Headers | undefined {
  let echoed: Record<string, string> | undefined;
  for (const name of echoedHeaders ?? []) {
    const value = headers[name.toLowerCase()];
    if (value !== undefined) (echoed ??= {})[name] = value;
  }
  return echoed;
}

/**
 * Writes what comes as it comes, at the pace at which it is read, and then ends the answer. What is thrown ends it too:
 * its status is told already.
 * @param ending aborted when the server is to end, which waits for nobody who listens
 */
async function writeFollowed(
  response: ServerResponse,
  { follow }: FollowedBody,
  ending: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, ending]);
  try {
    if (response.req.method === 'HEAD') return;
    for await (const part of follow(signal)) {
      if (signal.aborted) break;
      if (!response.write(part)) await once(response, 'drain', { signal });
    }
  } catch {
    // Who asks again is told.
  } finally {
    response.end();
  }
}
