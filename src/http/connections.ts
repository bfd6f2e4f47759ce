import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Server as SecureServer } from 'node:tls';
import { createCrowd, type HttpConnection } from './crowd.ts';
import { answerRaw } from './malformed.ts';
import { networkOf } from './network.ts';

export interface ConnectionLimits {
  /** Connections that may be open at once, at least 4. */
  readonly most: number;
  /** As of createCrowd. */
  readonly graceMs?: number;
  /** Told how many were closed or refused for want of room, at most once a minute. */
  readonly onCrowd?: (turnedAway: number) => void;
}

export interface Connections {
  /** To be told of every request. @returns whether there is room for it; else it is to be answered with `crowded`. */
  begin(socket: Socket, response: ServerResponse): boolean;
  /** To be told of every login, good or not. */
  login(socket: Socket, isGood: boolean): void;
}

/** What is told to whom there is no room for. */
export const crowded = {
  status: 503,
  error: 'ServiceUnavailable',
  description: 'There are too many connections. Try again later.',
} as const;

const plainSpoken = {
  status: 400,
  error: 'BadRequest',
  description: 'This port speaks HTTPS: the address begins with https://.',
} as const;

const standardGrace = 2_000;
/** Milliseconds for the request that is then answered 503, and how many may be waited for. */
const refusedMs = 1_000;
const mostRefused = 64;

/** Bounds the connections of a server, such that those without a login cannot crowd out the others. */
export function boundConnections(server: Server, limits: ConnectionLimits): Connections {
  const { most, graceMs = standardGrace, onCrowd = () => undefined } = limits;
  const crowd = createCrowd(most, graceMs);
  const tell = atMostOncePerMinute(onCrowd);
  const found = findConnections(server, admit, (connection) => crowd.remove(connection));
  let refused = 0;

  function admit(newest: HttpConnection): void {
    crowd.add(newest);
    const verdict = crowd.judge(newest);
    if (verdict.is === 'room') return;
    tell();
    const leaving = verdict.is === 'instead' ? verdict.of : newest;
    crowd.remove(leaving);
    if (leaving === newest) refuse(newest);
    else close(leaving);
  }

  function refuse(connection: HttpConnection): void {
    const { socket } = connection;
    if (refused >= mostRefused) return void socket.destroy();
    connection.isRefused = true;
    refused += 1;
    socket.on('close', () => (refused -= 1));
    setTimeout(() => connection.running === 0 && socket.destroy(), refusedMs).unref();
  }

  return {
    begin(socket, response) {
      const connection = found(socket);
      if (!connection) return true;
      connection.running += 1;
      response.on('close', () => {
        connection.running -= 1;
        connection.taken = connection.stream?.bytesRead ?? 0;
        crowd.use(connection);
      });
      return !connection.isRefused;
    },
    login(socket, isGood) {
      const connection = found(socket);
      if (connection) crowd.setKnown(connection, isGood);
    },
  };
}

/** Whoever has begun to ask is told; who only waits sees the end of the connection. */
function close({ socket, stream, running, taken }: HttpConnection): void {
  if (stream && running === 0 && stream.bytesRead > taken) answerRaw(stream, crowded);
  else socket.destroy();
}

/** @returns what finds a connection by the socket of a request */
function findConnections(
  server: Server,
  onOpen: (connection: HttpConnection) => void,
  onClose: (connection: HttpConnection) => void,
): (socket: Socket) => HttpConnection | undefined {
  const isSecure = server instanceof SecureServer;
  const byAddress = new Map<string, HttpConnection>();
  const bySocket = new WeakMap<Socket, HttpConnection>();
  server.on('connection', (socket: Socket) => {
    const { remoteAddress } = socket;
    // It is over before it has begun.
    if (remoteAddress === undefined) return void socket.destroy();
    const connection: HttpConnection = {
      socket,
      stream: isSecure ? undefined : socket,
      network: networkOf(remoteAddress),
      since: performance.now(),
      isRefused: false,
      running: 0,
      taken: 0,
    };
    const address = addressOf(socket);
    byAddress.set(address, connection);
    bySocket.set(socket, connection);
    socket.on('close', () => {
      if (byAddress.get(address) === connection) byAddress.delete(address);
      onClose(connection);
    });
    onOpen(connection);
  });
  // The socket below is nowhere to be seen from the one that comes with TLS.
  server.on('secureConnection', (stream: Socket) => {
    const connection = byAddress.get(addressOf(stream));
    if (!connection) return;
    connection.stream = stream;
    connection.taken = stream.bytesRead;
    bySocket.set(stream, connection);
  });
  // What speaks no TLS is told so in the only way it understands.
  server.on('tlsClientError', (error: NodeJS.ErrnoException, stream: Socket) => {
    const socket = byAddress.get(addressOf(stream))?.socket;
    if (socket && error.code === 'ERR_SSL_HTTP_REQUEST') answerRaw(socket, plainSpoken);
  });
  return (socket) => bySocket.get(socket);
}

function addressOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

const tellMs = 60_000;

function atMostOncePerMinute(tell: (count: number) => void): () => void {
  let count = 0;
  let told: number | undefined;
  return () => {
    count += 1;
    if (told !== undefined && performance.now() - told < tellMs) return;
    told = performance.now();
    tell(count);
    count = 0;
  };
}
