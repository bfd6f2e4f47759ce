import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { FurtherLogins, Login, Protocol, Realm } from '../protocols/protocol.ts';
import type { Observe, TraceRequest } from './access-log.ts';
import { createAuth } from './auth.ts';
import { plainTarget } from './call.ts';
import { createListener, type TlsPair } from './listener.ts';
import { refuseMalformed } from './malformed.ts';
import { crowded, boundConnections } from './connections.ts';
import { mount, type OnWrongLogin } from './mount.ts';
import { writeReply } from './reply.ts';
import { createShutdown } from './shutdown.ts';

export interface ServerSettings {
  /** Unknown paths are answered by the one with paths that begin alike, else by the first one with a login. */
  readonly protocols: readonly Protocol[];
  /** Of the platforms, for protocols without a realm of their own. All of them are valid at the same time, so that passwords can be changed without downtime. */
  readonly logins: readonly Login[];
  /** Who is let in beside them. */
  readonly further?: FurtherLogins;
  /** Hears of every request that was answered. */
  readonly observe: Observe;
  /** Absent: nobody wants to see requests as traces. */
  readonly trace?: TraceRequest;
  /** Hears of every login that is refused, before it is. */
  readonly onWrongLogin?: OnWrongLogin;
  /** Express's setting: how many proxies in front of us tell the caller's address truly. None by default. */
  readonly trustProxy?: number | boolean | string;
  /** Absent: plain HTTP. */
  readonly tls?: TlsPair | undefined;
  /** Are browsers to be told to come by TLS alone from now on? It counts for every port of the host. */
  readonly strictTransport?: boolean;
  /** Milliseconds for a handshake of TLS. */
  readonly handshakeMs?: number;
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
  /** Another pair for connections from now on. */
  renew(pair: TlsPair): void;
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

const standardConnections = 1_000;
/** Seconds: a year. */
const strictAge = 31_536_000;

/** Express, and around it a server of Node's that ends in an orderly way. */
export function createServer(settings: ServerSettings): HttpServer {
  const { protocols, logins, observe, trustProxy = false, onTrouble = ignore } = settings;
  const app = express();
  app.disable('x-powered-by').disable('etag').enable('case sensitive routing');
  app.set('query parser', false).set('trust proxy', trustProxy);

  const { server, renew, shownBy } = createListener(settings.tls, settings.handshakeMs);
  const shutdown = createShutdown(server);
  const connections = boundConnections(server, {
    graceMs: settings.graceMs,
    most: settings.maxConnections ?? standardConnections,
    onCrowd: (turnedAway) => onTrouble(new Error(`${closed(turnedAway)} closed for want of room.`)),
  });
  const platforms: Realm = { name: 'Service broker', logins: () => logins, ...settings.further };
  mount(app, {
    protocols,
    authenticate: createAuth([platforms, ...protocols.flatMap(({ realm }) => realm ?? [])], shownBy),
    platforms,
    observe,
    trace: settings.trace,
    onLogin: ({ socket }, isGood) => connections.login(socket, isGood),
    onWrongLogin: settings.onWrongLogin,
    ending: shutdown.ending,
  });
  // A connection that cannot be accepted is an error of the whole server, and ends the process when nobody listens.
  server.on('request', answer).on('checkExpectation', answer).on('error', onTrouble);
  refuseMalformed(server);

  function answer(request: IncomingMessage, response: ServerResponse): void {
    shutdown.track(response);
    // Whoever reads or writes hears of it there.
    request.on('error', ignore);
    response.on('error', ignore);
    if (settings.strictTransport) response.setHeader('Strict-Transport-Security', `max-age=${strictAge}`);
    if (!connections.begin(request.socket, response)) {
      const { status, ...body } = crowded;
      const { ending } = shutdown;
      writeReply(
        response,
        { status, body },
        { echoed: undefined, confidential: false, closing: true, ending },
      );
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
    renew,
    drain: (deadlineMs) => shutdown.drain(deadlineMs),
    running: () => shutdown.running(),
    close: () => shutdown.close(),
  };
}

function ignore(): void {}

function closed(connections: number): string {
  return connections === 1 ? '1 connection was' : `${connections} connections were`;
}
