import {
  createServer as createHttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { Login, Protocol } from '../protocols/protocol.ts';
import type { Observe } from './access-log.ts';
import { createAuth } from './auth.ts';
import { plainTarget } from './call.ts';
import { refuseMalformed } from './malformed.ts';
import { crowded, boundConnections } from './connections.ts';
import { mount } from './mount.ts';
import { writeReply } from './reply.ts';
import { createShutdown } from './shutdown.ts';

export interface ServerSettings {
  /** Unknown paths are answered by the one with paths that begin alike, else by the first one with a login. */
  readonly protocols: readonly Protocol[];
  /** Of the platforms, for protocols without a realm of their own. All of them are valid at the same time, so that passwords can be changed without downtime. */
  readonly logins: readonly Login[];
  /** Hears of every request that was answered. */
  readonly observe: Observe;
  /** Express's setting: how many proxies in front of us tell the caller's address truly. None by default. */
  readonly trustProxy?: number | boolean | string;
  /** Connections that may be open at once. */
  readonly maxConnections?: number;
  /** As of ConnectionLimits. */
  readonly graceMs?: number;
  /** Hears of connections that could not be taken, e.g. when the process has no room for more. */
  readonly onTrouble?: (error: Error) => void;
}

export interface HttpServer {
  /** For tests: the same answers without a listening server. */
  readonly app: RequestListener;
  /** Port 0 is any free port; gives the address it listens on. */
  listen(port: number, host: string): Promise<AddressInfo>;
  /**
   * Takes no new connection and lets the running requests end, for at most this long.
   * @returns whether all of them have ended.
   */
  drain(deadlineMs: number): Promise<boolean>;
  /** Requests that are being answered now. */
  running(): number;
  /** Ends at once, running requests too. */
  close(): Promise<void>;
}

// Behind a load balancer the server must be the one that keeps idle connections longer (gorouter: 90 s).
const keepAliveTimeout = 95_000;
// For sending a request, and its head alone, not for answering it.
const requestTimeout = 60_000;
const headersTimeout = 20_000;
const connectionsCheckingInterval = 5_000;
const standardConnections = 1_000;
// Room for originating identities with long lists of groups.
const maxHeaderSize = 32_768;

/** Express, and around it a node:http server that ends in an orderly way. */
export function createServer(settings: ServerSettings): HttpServer {
  const { protocols, logins, observe, trustProxy = false, onTrouble = ignore } = settings;
  const app = express();
  app.disable('x-powered-by').disable('etag').enable('case sensitive routing');
  app.set('query parser', false).set('trust proxy', trustProxy);

  // A missing Host header is refused by us, as JSON and after the login.
  const server = createHttpServer({
    keepAliveTimeout,
    requestTimeout,
    headersTimeout,
    connectionsCheckingInterval,
    maxHeaderSize,
    requireHostHeader: false,
  });
  const shutdown = createShutdown(server);
  const connections = boundConnections(server, {
    graceMs: settings.graceMs,
    most: settings.maxConnections ?? standardConnections,
    onCrowd: (turnedAway) => onTrouble(new Error(`${turnedAway} connections were closed for want of room.`)),
  });
  const platforms = { name: 'Service broker', logins: () => logins };
  mount(app, {
    protocols,
    authenticate: createAuth([platforms, ...protocols.flatMap(({ realm }) => realm ?? [])]),
    platforms,
    observe,
    onLogin: ({ socket }, isGood) => connections.login(socket, isGood),
    isDraining: () => shutdown.isDraining(),
  });
  // A connection that cannot be accepted is an error of the whole server, and ends the process when nobody listens.
  server.on('request', answer).on('checkExpectation', answer).on('error', onTrouble);
  refuseMalformed(server);

  function answer(request: IncomingMessage, response: ServerResponse): void {
    shutdown.track(response);
    // Whoever reads or writes hears of it there.
    request.on('error', ignore);
    response.on('error', ignore);
    if (!connections.begin(request.socket, response)) {
      const { status, ...body } = crowded;
      writeReply(response, { status, body }, { echoed: undefined, confidential: false, closing: true });
      return;
    }
    request.url = plainTarget(request.url ?? '/');
    app(request, response);
  }

  function listen(port: number, host: string): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => {
        server.off('error', reject);
        resolve(server.address() as AddressInfo);
      });
    });
  }
  return {
    app: answer,
    listen,
    drain: (deadlineMs) => shutdown.drain(deadlineMs),
    running: () => shutdown.running(),
    close: () => shutdown.close(),
  };
}

function ignore(): void {}
