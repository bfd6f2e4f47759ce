import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

export interface Shutdown {
  /** To be told of every request. */
  track(response: ServerResponse): void;
  /** Aborted when it drains or closes. */
  readonly ending: AbortSignal;
  /** Requests that are being answered. */
  running(): number;
  drain(deadlineMs: number): Promise<boolean>;
  close(): Promise<void>;
}

const tickMs = 50;

/**
 * Ends a server without cutting an answer. A plain close() would wait for every connection that a client
 * keeps open or has opened in advance; here the requests count, not the connections.
 */
export function createShutdown(server: Server): Shutdown {
  const ending = new AbortController();
  let running = 0;
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });

  function track(response: ServerResponse): void {
    running += 1;
    response.on('close', end);
  }

  function end(): void {
    running -= 1;
  }

  async function drain(deadlineMs: number): Promise<boolean> {
    ending.abort();
    server.close();
    const deadline = performance.now() + deadlineMs;
    // Two quiet ticks: a request may be on its way on a connection that was kept open.
    for (let quiet = 0; quiet < 2 && performance.now() < deadline;) {
      server.closeIdleConnections();
      await wait(Math.min(tickMs, deadlineMs));
      quiet = running === 0 ? quiet + 1 : 0;
    }
    return running === 0;
  }

  function close(): Promise<void> {
    ending.abort();
    return new Promise((resolve) => {
      // An error means that it is closed already.
      server.close(() => resolve());
      // The server itself does not know those in the middle of a handshake.
      for (const socket of sockets) socket.destroy();
    });
  }
  return {
    track,
    ending: ending.signal,
    running: () => running,
    drain,
    close,
  };
}
