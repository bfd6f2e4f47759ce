import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { Client } from 'pg';
import { openTestDatabase } from './database.ts';

export interface DatabaseGate {
  /** Leads to the database through the gate. */
  readonly url: URL;
  /** Lets connections through from now on. */
  readonly open: () => void;
  /** Breaks all connections, and those to come. */
  readonly shut: () => void;
  /** Nothing gets through any more, and nobody is told. */
  readonly clog: () => void;
  readonly close: () => Promise<void>;
}

/** A way to a database of its own that can fail; at first it is shut. */
export async function openGate(): Promise<DatabaseGate> {
  const database = await openTestDatabase();
  const { host, port, user, password, database: name } = new Client(database.config);
  const sockets = new Set<Socket>();
  let state: 'open' | 'shut' | 'clogged' = 'shut';

  const server = createServer((outer) => {
    if (state === 'shut') return void outer.destroy();
    const inner = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    tie(outer, inner, sockets);
    if (state === 'open') outer.pipe(inner).pipe(outer);
  });
  const login = `${user}:${encodeURIComponent(String(password))}`;
  const url = new URL(`postgres://${login}@127.0.0.1:${await listen(server)}/${name}`);
  url.searchParams.set('options', `-c search_path=${database.schema}`);

  function shut(): void {
    state = 'shut';
    for (const socket of sockets) socket.destroy();
  }
  return {
    url,
    open: () => void (state = 'open'),
    shut,
    clog() {
      state = 'clogged';
      for (const socket of sockets) socket.unpipe().pause();
    },
    async close() {
      shut();
      await new Promise((resolve) => server.close(resolve));
      await database.close();
    },
  };
}

/** On a free port of this machine. */
export function listen(server: Server): Promise<number> {
  return new Promise((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
}

/** When one end goes, the other goes too. */
function tie(one: Socket, other: Socket, sockets: Set<Socket>): void {
  for (const [socket, peer] of [
    [one, other],
    [other, one],
  ] as const) {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      peer.destroy();
    });
  }
}
