import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Environment, ourEnvironment } from '../../../config/config.ts';
import type { ValuesOf } from '../../../config/option.ts';
import { coreOptions } from '../../../config/options.ts';
import { codeOf } from '../../../system/error-code.ts';
import type { Clusters } from '../cluster.ts';
import { clusterNameOf, defaultCluster, inCluster, type kubernetesOptions } from '../options.ts';
import type { ClusterAccess } from './access.ts';
import { createConnection } from './connection.ts';
import { inClusterAccess } from './in-cluster.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { createLogin } from './login.ts';
import { openCluster } from './open-cluster.ts';

/**
 * The clusters of these options. Nothing is read or asked before one of them is used: a kubeconfig that cannot be used
 * is an Error of each use, which names its variable.
 */
export function createClusters(
  { clusterConfigs }: ValuesOf<typeof kubernetesOptions>,
  environment: Environment = ourEnvironment(),
): Clusters {
  const opened = Object.entries(clusterConfigs).map(([variable, value]) => {
    const name = clusterNameOf(variable);
    const login = createLogin({
      source: value === inCluster ? variable : `The kubeconfig of ${variable}`,
      access: () => readAccess(value, environment),
      environment: ofPlugins(environment),
    });
    const connection = createConnection(name, login);
    return { name, connection, cluster: openCluster(connection) };
  });
  return {
    names: opened.map(({ name }) => name),
    find(name) {
      const standard = opened.find((one) => one.name === defaultCluster) ?? opened[0];
      const isClear = opened.length === 1 || standard?.name === defaultCluster;
      if (name === undefined) return isClear ? standard?.cluster : undefined;
      return opened.find((one) => one.name === name)?.cluster;
    },
    async close() {
      for (const { connection } of opened) connection.close();
    },
  };
}

async function readAccess(value: string, environment: Environment): Promise<ClusterAccess> {
  if (value === inCluster) return inClusterAccess(environment);
  const [, file = value, context] = /^(.*?)#([^#]*)$/s.exec(value) ?? [];
  const path = resolve(file);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new Error(`names ${path}, which cannot be read (${codeOf(error)})`);
  }
  return readKubeconfig(text, dirname(path), context);
}

/** Programs that a kubeconfig names see what this one sees, but for its own secrets. */
function ofPlugins(environment: Environment): Environment {
  const own = new Set(
    Object.values(coreOptions)
      .filter(({ kind }) => kind.secret)
      .map(({ name }) => name),
  );
  const isOwn = (name: string) => own.has(name) || /^TSURU_PASSWORDS?$|_POSTGRES_URL$/.test(name);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !isOwn(name)));
}
