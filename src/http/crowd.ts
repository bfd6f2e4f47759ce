import type { Socket } from 'node:net';

export interface HttpConnection {
  readonly socket: Socket;
  /** What is spoken through: the same, or the TLS within; undefined during the handshake. */
  stream: Socket | undefined;
  /** Of the address it comes from: connections of one network count together. */
  readonly network: string;
  /** By the monotonic clock, in milliseconds. */
  readonly since: number;
  isRefused: boolean;
  /** Requests that are being answered. */
  running: number;
  /** Bytes of the requests that have begun. */
  taken: number;
}

/** The connections there is room for: the known, on which somebody has logged in, and the strangers. */
export interface Crowd {
  add(connection: HttpConnection): void;
  remove(connection: HttpConnection): void;
  /** Somebody has logged in there, or has failed to. Nothing happens to one that was removed. */
  setKnown(connection: HttpConnection, isKnown: boolean): void;
  /** Of the known, it is now the one that was used last. */
  use(connection: HttpConnection): void;
  size(): number;
  /** Who has to go for this one, which was added last. */
  judge(newest: HttpConnection): CrowdVerdict;
}

export type CrowdVerdict =
  | { readonly is: 'room' }
  | { readonly is: 'instead'; readonly of: HttpConnection }
  /** There is no room for the newest, and nobody who could go. */
  | { readonly is: 'full' };

/**
 * Strangers may have half of the room, and those of one network a quarter of that. In want of room they go first, the
 * oldest first, so that they cannot crowd out the known. A known one goes only when there is no stranger left, and never
 * while it is used.
 * @param most at once
 * @param graceMs that a stranger has for its first request before the shares count, where there is room at all
 */
export function createCrowd(most: number, graceMs: number): Crowd {
  const mostStrangers = Math.max(1, Math.floor(most / 2));
  const mostOfNetwork = Math.max(1, Math.floor(mostStrangers / 4));
  // Each in the order in which they go.
  const strangers = new Set<HttpConnection>();
  const known = new Set<HttpConnection>();
  const networks = new Map<string, Set<HttpConnection>>();

  function add(connection: HttpConnection): void {
    strangers.add(connection);
    const others = networks.get(connection.network) ?? new Set();
    networks.set(connection.network, others.add(connection));
  }

  function remove(connection: HttpConnection): void {
    known.delete(connection);
    strangers.delete(connection);
    const others = networks.get(connection.network);
    others?.delete(connection);
    if (others?.size === 0) networks.delete(connection.network);
  }

  function judge(newest: HttpConnection): CrowdVerdict {
    const ofNetwork = networks.get(newest.network) ?? new Set();
    const isGreedy = ofNetwork.size > mostOfNetwork;
    if (strangers.size + known.size > most) {
      const least = (isGreedy && pick(ofNetwork, newest)) || pick(strangers, newest) || pickIdle(known);
      return least ? { is: 'instead', of: least } : { is: 'full' };
    }
    const many = isGreedy ? ofNetwork : strangers.size > mostStrangers ? strangers : undefined;
    const oldest = many && pick(many, newest);
    return oldest && newest.since - oldest.since >= graceMs ? { is: 'instead', of: oldest } : { is: 'room' };
  }

  return {
    add,
    remove,
    judge,
    size: () => strangers.size + known.size,
    setKnown(connection, isKnown) {
      if (!(isKnown ? strangers : known).has(connection)) return;
      remove(connection);
      if (isKnown) known.add(connection);
      else add(connection);
    },
    use(connection) {
      if (known.delete(connection)) known.add(connection);
    },
  };
}

/** The first on which no request is being answered, else the first. */
function pick(connections: Iterable<HttpConnection>, except: HttpConnection): HttpConnection | undefined {
  let first: HttpConnection | undefined;
  for (const connection of connections) {
    if (connection === except) continue;
    if (connection.running === 0) return connection;
    first ??= connection;
  }
  return first;
}

function pickIdle(connections: Iterable<HttpConnection>): HttpConnection | undefined {
  for (const connection of connections) if (connection.running === 0) return connection;
  return undefined;
}
