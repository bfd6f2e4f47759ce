import { type ClientRequest, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What becomes of a request on the way to a server. `refused`: it is told to come again soon. */
export type Fate = 'well' | 'lost' | 'refused' | 'cut' | 'unheard';

/** A way to a server on which requests and answers are lost. */
export interface HttpWay {
  /** Decides of each request from now on. */
  fate: (request: IncomingMessage) => Fate;
  close(): Promise<void>;
}

interface WayParts {
  /** Of the server; in the end the body is written to it. */
  readonly forward: (request: IncomingMessage) => ClientRequest;
  /** A port, 0 for any, or the path of a socket. */
  readonly at: number | string;
}

export async function openHttpWay({ forward, at }: WayParts): Promise<HttpWay & { readonly port: number }> {
  const server = createServer({ keepAliveTimeout: 60_000 });
  server.on('request', (request, response) => {
    const fate = way.fate(request);
    if (fate === 'lost') return void request.socket.destroy();
    if (fate === 'refused') return refuse(request, response);
    const asked = forward(request);
    asked.on('error', () => request.socket.destroy());
    asked.on('response', (answer) => handBack(answer, request, response, fate));
    response.on('close', () => asked.destroy());
    request.pipe(asked);
  });
  await new Promise<void>((resolve) => {
    if (typeof at === 'string') server.listen(at, resolve);
    else server.listen(at, '127.0.0.1', resolve);
  });
  const address = server.address() as AddressInfo | string;
  const way: HttpWay & { readonly port: number } = {
    port: typeof address === 'string' ? 0 : address.port,
    fate: () => 'well',
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return way;
}

function refuse(request: IncomingMessage, response: ServerResponse): void {
  request.resume();
  response.writeHead(429, { 'Retry-After': '1', 'Content-Type': 'application/json' });
  const status = {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    code: 429,
    reason: 'TooManyRequests',
  };
  response.end(JSON.stringify({ ...status, message: 'come again' }));
}

/** What was asked for is done in any case. */
function handBack(
  answer: IncomingMessage,
  request: IncomingMessage,
  response: ServerResponse,
  fate: Fate,
): void {
  answer.on('error', () => request.socket.destroy());
  if (fate === 'unheard') {
    answer.resume();
    answer.on('end', () => request.socket.destroy());
    return;
  }
  response.writeHead(answer.statusCode ?? 500, answer.headers);
  if (fate === 'well') return void answer.pipe(response);
  answer.once('data', (chunk: Buffer) => {
    response.write(chunk.subarray(0, chunk.length >> 1), () => request.socket.destroy());
  });
  answer.on('end', () => request.socket.destroy());
}
