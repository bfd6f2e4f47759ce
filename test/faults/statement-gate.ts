import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { Client, type ClientConfig } from 'pg';

/** A way to Postgres that sees what brokers say to it, and can fail at what it sees. */
export interface StatementGate {
  /** Address of the database, through the gate. */
  readonly url: string;
  /**
   * The next statement with this text is executed, but its connection breaks before the answer is there.
   * @returns when that has happened
   */
  loseAnswerTo(text: string): Promise<void>;
  /** Breaks every connection on which this text is said from now on, before it is heard. */
  forbid(text: string): void;
  /** Breaks all connections, and those to come. */
  shut(): void;
  open(): void;
  close(): Promise<void>;
}

/** @param config of the database behind it */
export async function openStatementGate(config: ClientConfig): Promise<StatementGate> {
  const { host, port, user, password, database } = new Client(config);
  const sockets = new Set<Socket>();
  const forbidden: string[] = [];
  let isOpen = true;
  const texts = new Map<string, string>();
  let losing: { readonly text: string; readonly happened: () => void } | undefined;

  const server = createServer((outer) => {
    if (!isOpen) return void outer.destroy();
    const inner = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    let onAnswer: (() => void) | undefined;
    tie([outer, inner], sockets);
    outer.on('data', (said) => {
      const heard = withTexts(said.toString('latin1'), texts);
      if (forbidden.some((text) => heard.includes(text))) return void outer.destroy();
      if (losing && heard.includes(losing.text)) {
        onAnswer = losing.happened;
        losing = undefined;
      }
      return inner.write(said);
    });
    inner.on('data', (answer) => {
      if (!onAnswer) return outer.write(answer);
      onAnswer();
      return outer.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const login = `${user}:${encodeURIComponent(String(password))}`;
  const shut = () => {
    isOpen = false;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `postgres://${login}@127.0.0.1:${(server.address() as AddressInfo).port}/${database}`,
    loseAnswerTo: (text) => new Promise((happened) => (losing = { text, happened })),
    forbid: (text) => void forbidden.push(text),
    shut,
    open: () => void (isOpen = true),
    async close() {
      shut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * What is said, with the texts of statements that are only named in it: a prepared one says its text once in a session,
 * and a name stands for one text in all of them.
 */
function withTexts(said: string, texts: Map<string, string>): string {
  for (const [, name = '', text = ''] of said.matchAll(/(purveyor_[0-9a-f]+)\0([^\0]{20,})\0/g))
    texts.set(name, text);
  const named = [...said.matchAll(/purveyor_[0-9a-f]+/g)].map(([name]) => texts.get(name) ?? '');
  return [said, ...named].join('\n');
}

/** When one end goes, the other goes too. */
function tie(ends: readonly [Socket, Socket], sockets: Set<Socket>): void {
  for (const socket of ends) {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      for (const end of ends) end.destroy();
    });
  }
}
