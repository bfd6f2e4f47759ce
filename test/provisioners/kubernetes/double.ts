import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClusters } from '../../../src/provisioners/kubernetes/client/clusters.ts';
import type { Cluster } from '../../../src/provisioners/kubernetes/cluster.ts';
import { scratchDirectory } from '../../support/scratch-directory.ts';

export type Answering = (request: IncomingMessage, response: ServerResponse) => void;

/** A server that answers as a test wants it to, in the place of an API server. */
export interface Double {
  readonly cluster: Cluster;
  readonly folder: string;
  readonly sockets: ReadonlySet<Socket>;
  /** In the order in which they came. */
  readonly seen: IncomingMessage[];
  answer: Answering;
  upgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
  close(): Promise<void>;
}

/** @param user as a kubeconfig has it, with paths that begin in its folder */
export async function startDouble(user: object = { token: 'token-of-double' }): Promise<Double> {
  const folder = scratchDirectory('double');
  const sockets = new Set<Socket>();
  const server = createServer({ keepAliveTimeout: 60_000 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const config = {
    'current-context': 'a',
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    clusters: [{ name: 'a', cluster: { server: `http://127.0.0.1:${port}/below` } }],
    users: [{ name: 'a', user }],
  };
  const file = join(folder, 'config');
  writeFileSync(file, JSON.stringify(config));
  const clusters = createClusters({ clusterConfigs: { MAIN_KUBERNETES_CONFIG: file } });
  const cluster = clusters.find();
  if (!cluster) throw new Error('There is no cluster.');
  const double: Double = {
    cluster,
    folder,
    sockets,
    seen: [],
    answer: (_request, response) => answerWith(response, 500, {}),
    upgrade: (_request, socket) => socket.destroy(),
    async close() {
      await clusters.close();
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('request', (request, response) => {
    double.seen.push(request);
    double.answer(request, response);
  });
  server.on('upgrade', (request, socket, head) => {
    double.seen.push(request);
    double.upgrade(request, socket as Socket, head);
  });
  return double;
}

export function answerWith(
  response: ServerResponse,
  status: number,
  body: object | string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, headers);
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** Is it asked as whom? */
export function tokenOf(request: IncomingMessage | undefined): string {
  return request?.headers.authorization?.replace('Bearer ', '') ?? '';
}
