import { connect } from 'node:net';
import type { AccessEntry } from '../../src/http/access-log.ts';
import { createServer, type HttpServer, type ServerSettings } from '../../src/http/server.ts';
import { BadCall, type Call, type Protocol, type Route } from '../../src/protocols/protocol.ts';

/** A small protocol that shows what it was called with. */
export function showing(rest: Partial<Protocol> = {}): Protocol {
  const show = (call: Call) => ({
    status: 200,
    body: {
      params: call.params,
      query: [...call.query],
      body: call.body ?? 'none',
      user: call.principal ?? '',
    },
  });
  const routes: Route[] = [
    { method: 'GET', path: '/things', handler: () => ({ status: 200, body: { all: true } }) },
    { method: 'PUT', path: '/things/:id', body: 'json', handler: show },
    { method: 'GET', path: '/things/:id', handler: show },
    { method: 'DELETE', path: '/things/:id', handler: show },
    { method: 'GET', path: '/things/:id/parts/:part', handler: show },
  ];
  return { name: 'showing', open: false, echoedHeaders: ['X-Echoed'], routes, refuse, ...rest };
}

export function refuse(error: unknown) {
  if (!(error instanceof BadCall)) return { status: 500, body: { description: 'fixed text' } };
  return { status: error.status, headers: error.headers, body: { description: error.message } };
}

export type Ask = Omit<RequestInit, 'headers'> & { readonly headers?: Record<string, string> };

export interface Running {
  readonly server: HttpServer;
  readonly port: number;
  readonly accesses: readonly AccessEntry[];
  /** With the right login, unless headers say otherwise. */
  ask(path: string, init?: Ask): Promise<Response>;
  /** Sends bytes as they are, and gives all that comes back until the server hangs up. */
  send(bytes: string | Buffer): Promise<string>;
}

export const logins = [
  { username: 'user', password: 'pässword:1' },
  { username: 'next', password: 'another' },
];

export const login = `Basic ${Buffer.from('user:pässword:1').toString('base64')}`;

/** @param given protocols, and settings of the server */
export async function aServer(...given: readonly (Protocol | Partial<ServerSettings>)[]): Promise<Running> {
  const accesses: AccessEntry[] = [];
  const observe = (access: AccessEntry) => void accesses.push(access);
  const isProtocol = (one: (typeof given)[number]): one is Protocol => 'routes' in one;
  const protocols = given.filter(isProtocol);
  const settings = given.filter((one): one is Partial<ServerSettings> => !isProtocol(one));
  const server = createServer(Object.assign({ protocols, logins, observe }, ...settings) as ServerSettings);
  const { port } = await server.listen(0, '127.0.0.1');
  return {
    server,
    port,
    accesses,
    ask: (path, init = {}) =>
      fetch(`http://127.0.0.1:${port}${path}`, {
        ...init,
        headers: { authorization: login, ...init.headers },
      }),
    send: (bytes) => exchange(port, bytes),
  };
}

function exchange(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const parts: Buffer[] = [];
    socket.on('data', (part) => parts.push(part));
    socket.on('close', () => resolve(Buffer.concat(parts).toString('latin1')));
    socket.on('error', reject);
    socket.write(bytes);
  });
}

/** The JSON at the end of a raw answer. */
export function jsonOf(answer: string): unknown {
  return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));
}
