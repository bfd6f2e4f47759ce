import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { type HttpWay, openHttpWay } from '../http-way.ts';
import { scratchDirectory } from '../scratch-directory.ts';
import type { TestCluster } from './start-cluster.ts';

/** A way to a real API server on which requests and answers are lost. */
export interface WayToCluster extends HttpWay {
  /** Of the administrator, by this way. */
  readonly kubeconfig: string;
  /** The same with another user. */
  kubeconfigOf(user: object): string;
}

export async function openWayToCluster(cluster: TestCluster): Promise<WayToCluster> {
  const { port } = new URL(cluster.server);
  const agent = new Agent({ keepAlive: true, ca: cluster.ca.cert });
  const way = await openHttpWay({
    at: 0,
    forward: ({ method, url, headers }) =>
      request({ host: '127.0.0.1', port, method, path: url, headers, agent }),
  });
  const place = scratchDirectory('way');
  let written = 0;
  const leading = (file: string): string => {
    const config = JSON.parse(readFileSync(file, 'utf8')) as object;
    const server = `http://127.0.0.1:${way.port}`;
    const own = join(place, `kubeconfig-${(written += 1)}`);
    writeFileSync(own, JSON.stringify({ ...config, clusters: [{ name: 'test', cluster: { server } }] }));
    return own;
  };
  return Object.assign(way, {
    kubeconfig: leading(cluster.kubeconfig),
    kubeconfigOf: (user: object) => leading(cluster.kubeconfigOf(user)),
  });
}
