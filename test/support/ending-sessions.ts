import { connect, createServer, type Socket } from 'node:net';
import { Client } from 'pg';
import { openTestDatabase, type TestDatabase } from './database.ts';
import { listen } from './database-gate.ts';

/** A moment at which the server is ready for the next statement. */
export interface Ready {
  /** Counted from 1 over all connections. */
  readonly count: number;
  /** Counted from 1 in this connection; the first one ends the login. */
  readonly ofConnection: number;
  readonly inTransaction: boolean;
}

export interface SessionEnder {
  /** Leads to the test database. */
  readonly url: string;
  readonly database: TestDatabase;
  /** From now on sessions end where this says so; counting begins again. */
  readonly endAt: (decide: (ready: Ready) => boolean) => void;
  /** How many sessions were ended so since. */
  readonly ended: () => number;
  readonly close: () => Promise<void>;
}

/**
 * A way to a database of its own, on which sessions are ended as an administrator ends them, and always at the worst
 * moment: "ready for the next statement" and "terminating connection" come in one piece.
 */
export async function openSessionEnder(): Promise<SessionEnder> {
  const database = await openTestDatabase();
  const { host, port, user, password, database: name } = new Client(database.config);
  const sockets = new Set<Socket>();
  let decide: (ready: Ready) => boolean = () => false;
  let count = 0;
  let ended = 0;

  const server = createServer((outer) => {
    const inner = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    let ofConnection = 0;
    outer.setNoDelay(true);
    outer.pipe(inner);
    inner.on('data', (chunk: Buffer) => {
      const inTransaction = readiness(chunk);
      if (inTransaction === undefined) return void outer.write(chunk);
      ofConnection += 1;
      count += 1;
      if (!decide({ count, ofConnection, inTransaction })) return void outer.write(chunk);
      ended += 1;
      inner.removeAllListeners('data').destroy();
      outer.end(Buffer.concat([chunk, terminating]));
    });
    for (const [socket, peer] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        if (!peer.writableEnded) peer.destroy();
      });
    }
  });
  const login = `${user}:${encodeURIComponent(String(password))}`;
  const options = encodeURIComponent(`-c search_path=${database.schema}`);
  return {
    url: `postgres://${login}@127.0.0.1:${await listen(server)}/${name}?options=${options}`,
    database,
    endAt(decideNow) {
      decide = decideNow;
      count = 0;
      ended = 0;
    },
    ended: () => ended,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await database.close();
    },
  };
}

/** Does the piece end with ReadyForQuery, and is a transaction open then? Undefined: it does not. */
function readiness(chunk: Buffer): boolean | undefined {
  const isReady = chunk.length >= 6 && chunk.subarray(-6, -1).equals(readyForQuery);
  return isReady ? chunk.at(-1) !== 'I'.charCodeAt(0) : undefined;
}

const readyForQuery = Buffer.from([0x5a, 0, 0, 0, 5]);

/** ErrorResponse, as PostgreSQL writes it for pg_terminate_backend and a fast shutdown. */
const terminating = errorResponse({
  S: 'FATAL',
  V: 'FATAL',
  C: '57P01',
  M: 'terminating connection due to administrator command',
});

function errorResponse(fields: Readonly<Record<string, string>>): Buffer {
  const body = Object.entries(fields).map(([kind, text]) => `${kind}${text}\0`);
  const text = Buffer.from(`${body.join('')}\0`);
  const head = Buffer.alloc(5, 'E');
  head.writeInt32BE(text.length + 4, 1);
  return Buffer.concat([head, text]);
}
