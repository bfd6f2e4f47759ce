import { BadCall } from '../protocols/protocol.ts';
import { STATUS_CODES, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { retryAfter } from './reply.ts';

// The caller may still be sending; closed at once, the answer would be lost with the connection.
const lingerMs = 500;

/** Answers as JSON what node:http refuses before there is a request; what came whole before it is answered first. */
export function refuseMalformed(server: Server): void {
  const latest = new WeakMap<Duplex, ServerResponse>();
  server.on('request', ({ socket }, response) => void latest.set(socket, response));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Without TLS there is nothing to answer through.
    if (/^ERR_(SSL|TLS)_/.test(error.code ?? '')) return void socket.destroy();
    const refuse = () => answerRaw(socket, refusals[error.code ?? ''] ?? malformed);
    const before = latest.get(socket);
    if (!before?.req.complete || before.writableFinished) return refuse();
    // What goes on to come is of the same.
    latest.delete(socket);
    before.once('close', refuse);
  });
  server.on('connect', (_request, socket) => {
    // From here on the server does not listen to it any more.
    socket.on('error', () => socket.destroy());
    answerRaw(socket, notAProxy);
  });
}

interface RawAnswer {
  readonly status: number;
  /** One word for programs, and a sentence for people. */
  readonly error: string;
  readonly description: string;
}

const malformed = refusal(400, 'BadRequest', 'The request is not well-formed HTTP.');
const notAProxy = refusal(405, 'MethodNotAllowed', 'This server is not a proxy.');
const refusals: Readonly<Record<string, RawAnswer>> = {
  HPE_HEADER_OVERFLOW: refusal(431, 'HeadersTooLarge', 'The request line and headers are too long.'),
  HPE_CHUNK_EXTENSIONS_OVERFLOW: refusal(413, 'PayloadTooLarge', 'The chunk extensions are too long.'),
  ERR_HTTP_REQUEST_TIMEOUT: refusal(408, 'RequestTimeout', 'The request was not sent in time.'),
};

function refusal(status: number, error: string, description: string): RawAnswer {
  return { status, error, description };
}

/** Answers as JSON on a connection with which node:http has nothing to do any more, and ends it. */
export function answerRaw(socket: Duplex, { status, error, description }: RawAnswer): void {
  // What the caller goes on sending is malformed again.
  if (socket.writableEnded) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify({ error, description });
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: application/json',
    'X-Content-Type-Options: nosniff',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...(status === 503 ? [`Retry-After: ${retryAfter}`] : []),
    'Connection: close',
  ];
  socket.on('error', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.resume();
  setTimeout(() => socket.destroy(), lingerMs).unref();
}

/** What Express could not read of a path. */
export function routingError(error: unknown): unknown {
  if (!(error instanceof URIError)) return error;
  return new BadCall(400, 'The request path is not percent-encoded UTF-8.');
}
