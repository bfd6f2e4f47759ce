import type { ServerResponse } from 'node:http';
import type { Call, Protocol, Reply } from '../protocols/protocol.ts';

type Headers = Readonly<Record<string, string>>;

export interface Manner {
  /** Headers of the request that come back. */
  readonly echoed: Headers | undefined;
  /** The answer is for whoever has logged in, and may hold credentials. */
  readonly confidential: boolean;
  /** The connection is not to be used again. */
  readonly closing: boolean;
}

/** Seconds after which whoever was told 503 may ask again, where the answer itself does not say. */
export const retryAfter = '5';

/**
 * Writes an answer; nothing else does.
 * @returns the bytes of its body.
 */
export function writeReply(
  response: ServerResponse,
  { status, headers, body }: Reply,
  { echoed, confidential, closing }: Manner,
): number {
  const { content, type, length } = contentOf(body);
  response.writeHead(status, {
    ...(content === undefined ? undefined : { 'Content-Type': type, 'Content-Length': length }),
    ...(status === 503 ? { 'Retry-After': retryAfter } : undefined),
    ...(confidential ? { 'Cache-Control': 'no-store' } : undefined),
    ...headers,
    ...echoed,
    ...(closing ? { Connection: 'close' } : undefined),
  });
  response.end(content);
  return length;
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
