import { globSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { findExecutable, isExecutable } from '../../../src/system/executables.ts';

/** The programs of a cluster: what Debian has no package for is built once by build.sh, into a folder of the user. */
export interface ClusterPrograms {
  readonly apiServer: string;
  readonly controllers: string;
}

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const others = ['etcd', 'openssl', 'setpriv'];

export function findClusterPrograms(): ClusterPrograms | undefined {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const folders = globSync(join(cache, 'purveyor/kubernetes-*/kube-apiserver')).map(dirname).toSorted();
  const programs = folders.map((folder) => ({
    apiServer: join(folder, 'kube-apiserver'),
    controllers: join(folder, 'kube-controller-manager'),
  }));
  return programs.findLast(
    ({ apiServer, controllers }) => isExecutable(apiServer) && isExecutable(controllers),
  );
}

/** Why there can be no cluster here; undefined when there can. */
export function whyNoCluster(): string | undefined {
  const missing = others.find((name) => findExecutable(path, name) === undefined);
  if (missing !== undefined) return `there is no ${missing}`;
  return findClusterPrograms() ? undefined : 'test/support/cluster/build.sh has not built kube-apiserver';
}

/** For tests that need one; says why they are skipped. */
export function describeWithCluster(): jest.Describe {
  const why = whyNoCluster();
  if (why === undefined) return describe;
  process.stderr.write(`Tests against a real API server are skipped: ${why}.\n`);
  return describe.skip;
}
