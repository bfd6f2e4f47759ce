import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import type { ClusterAccess } from './access.ts';

/** Where a pod finds the token of its service account, which is replaced about once in an hour. */
const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * The access of a pod to the cluster that it runs in.
 * @throws Error with a sentence that begins behind the name of the variable
 */
export function inClusterAccess(
  environment: Readonly<Record<string, string | undefined>>,
  folder = accountFolder,
): ClusterAccess {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment;
  if (!host || !port) throw new Error('says in-cluster, but this program runs in no pod of a cluster');
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    serverName: undefined,
    authority: { file: join(folder, 'ca.crt') },
    isInsecure: false,
    user: { token: { file: join(folder, 'token') } },
  };
}
