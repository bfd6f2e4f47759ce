import { createServer as createPlain, type Server } from 'node:http';
import { createServer as createSecure } from 'node:https';
import { constants, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { type PeerCertificate, type SecureContextOptions, TLSSocket } from 'node:tls';
import type { CallerCertificate } from '../protocols/protocol.ts';

/** A certificate, with those of the authorities between, and its private key; both in PEM form. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
  /** Authorities whose certificates callers may log in with, in PEM form; absent: callers are asked for none. */
  readonly clientCa?: readonly string[] | undefined;
}

/** What a caller has shown in the handshake. */
export interface ShownCertificate extends CallerCertificate {
  /** Why it does not count, as a sentence for the caller; absent: it does. */
  readonly refused?: string;
}

export interface Listener {
  readonly server: Server;
  /** For connections from now on; those that are open stay as they are. */
  readonly renew: (pair: TlsPair) => void;
  /** As it counts now, however long the connection has been open. */
  readonly shownBy: (socket: Socket) => ShownCertificate | undefined;
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
  if (!pair) return { server: createPlain(manner), renew: () => undefined, shownBy: () => undefined };
  let trusted = fingerprintsOf(pair);
  // Who shows none, or one that does not count, may still have a password, and is told why it does not count.
  const asking = pair.clientCa ? { requestCert: true, rejectUnauthorized: false } : {};
  const server = createSecure({
    ...manner,
    ...secureContext(pair),
    ...asking,
    handshakeTimeout: handshakeMs,
  });
  return {
    server,
    renew(fresh) {
      trusted = fingerprintsOf(fresh);
      server.setSecureContext(secureContext(fresh));
    },
    shownBy: (socket) => (pair.clientCa ? shownBy(socket, trusted) : undefined),
  };
}

function secureContext({ cert, key, clientCa }: TlsPair): SecureContextOptions {
  const usual = { cert, key, minVersion: 'TLSv1.2' } as const;
  // A session that goes on would bring what was trusted when it began.
  return clientCa ? { ...usual, ca: [...clientCa], secureOptions: constants.SSL_OP_NO_TICKET } : usual;
}

type Fingerprints = ReadonlySet<string>;

function fingerprintsOf({ clientCa = [] }: TlsPair): Fingerprints {
  return new Set(clientCa.map((text) => new X509Certificate(text).fingerprint256));
}

interface Shown extends CallerCertificate {
  readonly from: number;
  readonly to: number;
  /** Of all that vouch for it, as far as they are known. */
  readonly chain: readonly string[];
  /** What OpenSSL has said of it in the handshake. */
  readonly code: string | undefined;
}

const seen = new WeakMap<TLSSocket, Shown | 'none'>();

function shownBy(socket: Socket, trusted: Fingerprints): ShownCertificate | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const shown = seen.get(socket) ?? readShown(socket);
  seen.set(socket, shown);
  if (shown === 'none') return undefined;
  const { subject, names } = shown;
  return { subject, names, refused: refusalOf(shown, trusted, Date.now()) };
}

function readShown(socket: TLSSocket): Shown | 'none' {
  const peer = socket.getPeerCertificate(true);
  if (!(peer.raw instanceof Buffer)) return 'none';
  const { subject, subjectAltName = '', validFromDate, validToDate } = new X509Certificate(peer.raw);
  return {
    subject,
    names: subjectAltName,
    from: validFromDate.getTime(),
    to: validToDate.getTime(),
    chain: chainOf(peer),
    code: socket.authorized ? undefined : String(socket.authorizationError),
  };
}

function chainOf(
  peer: Partial<ReturnType<TLSSocket['getPeerCertificate']>> & Partial<PeerCertificateChain>,
): string[] {
  const chain: string[] = [];
  let next: Partial<PeerCertificateChain> | undefined = peer;
  while (next?.fingerprint256 !== undefined && !chain.includes(next.fingerprint256)) {
    chain.push(next.fingerprint256);
    next = next.issuerCertificate;
  }
  return chain;
}

type PeerCertificateChain = PeerCertificate & { readonly issuerCertificate?: PeerCertificateChain };

function refusalOf({ from, to, chain, code }: Shown, trusted: Fingerprints, now: number): string | undefined {
  if (now >= to) return 'The client certificate has expired.';
  if (now < from) return 'The client certificate is not valid yet.';
  if (code === undefined && chain.some((one) => trusted.has(one))) return undefined;
  if (code === undefined || unknownIssuers.has(code))
    return 'The client certificate is not signed by an authority that is trusted here.';
  return `The client certificate cannot be trusted (${code.slice(0, 60)}).`;
}

const unknownIssuers: ReadonlySet<string> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);
