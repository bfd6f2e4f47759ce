import { STATUS_CODES, type Server } from 'node:http';
import type { Duplex } from 'node:stream';

// The caller may still be sending; closed at once, the answer would be lost with the connection.
const lingerMs = 500;

/** Answers as JSON what node:http refuses before there is a request. */
export function refuseMalformed(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const [status, word, description] = refusals[error.code ?? ''] ?? malformed;
    answer(socket, status, word, description);
  });
  server.on('connect', (_request, socket) => {
    // From here on the server does not listen to it any more.
    socket.on('error', () => socket.destroy());
    answer(socket, 405, 'MethodNotAllowed', 'This server is not a proxy.');
  });
}

type Answer = readonly [status: number, word: string, description: string];

const malformed: Answer = [400, 'BadRequest', 'The request is not well-formed HTTP.'];
const refusals: Readonly<Record<string, Answer>> = {
  HPE_HEADER_OVERFLOW: [431, 'HeadersTooLarge', 'The request line and headers are too long.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'PayloadTooLarge', 'The chunk extensions are too long.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'RequestTimeout', 'The request was not sent in time.'],
};

function answer(socket: Duplex, status: number, error: string, description: string): void {
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
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.on('error', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.resume();
  setTimeout(() => socket.destroy(), lingerMs).unref();
}
