import { createServer as createPlain, type Server } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { SecureContextOptions } from 'node:tls';

/** A certificate, with those of the authorities between, and its private key; both in PEM form. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

export interface Listener {
  readonly server: Server;
  /** For connections from now on; those that are open stay as they are. */
  readonly renew: (pair: TlsPair) => void;
}

// Behind a load balancer the server must be the one that keeps idle connections longer (gorouter: 90 s).
const keepAliveTimeout = 95_000;
// For sending a request, and its head alone, not for answering it.
const requestTimeout = 60_000;
const headersTimeout = 20_000;
const handshakeTimeout = 20_000;
const connectionsCheckingInterval = 5_000;
// Room for originating identities with long lists of groups.
const maxHeaderSize = 32_768;

const manner = {
  keepAliveTimeout,
  requestTimeout,
  headersTimeout,
  connectionsCheckingInterval,
  maxHeaderSize,
  // A missing Host header is refused by us, as JSON and after the login.
  requireHostHeader: false,
};

/**
 * @param pair absent: plain HTTP
 * @param handshakeMs for the handshake of TLS
 * @throws Error of OpenSSL when the pair cannot be used
 */
export function createListener(pair: TlsPair | undefined, handshakeMs = handshakeTimeout): Listener {
  if (!pair) return { server: createPlain(manner), renew: () => undefined };
  const server = createSecure({ ...manner, ...secureContext(pair), handshakeTimeout: handshakeMs });
  return { server, renew: (fresh) => server.setSecureContext(secureContext(fresh)) };
}

function secureContext({ cert, key }: TlsPair): SecureContextOptions {
  return { cert, key, minVersion: 'TLSv1.2' };
}
