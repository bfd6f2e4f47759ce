import { path } from '../../config/kinds.ts';
import { family } from '../../config/option.ts';

/** In the place of a kubeconfig: the cluster in which this program runs as a pod. */
export const inCluster = 'in-cluster';

/** What the cluster of the variable without a name in front is called. */
export const defaultCluster = 'default';

const variable = 'KUBERNETES_CONFIG';

/** Options of what makes objects in clusters. */
export const kubernetesOptions = {
  /** Kubeconfigs, by the names of the variables that name them. */
  clusterConfigs: family(
    variable,
    /^(?:[A-Z][A-Z0-9_]*_)?KUBERNETES_CONFIG$/,
    path(),
    'no cluster',
    'Kubeconfig of the cluster in which objects are made, with another context than its current one behind a #; or in-cluster, for the one in which the broker is a pod. Clusters with names have variables that begin with these: EU_WEST_KUBERNETES_CONFIG is that of the cluster eu-west.',
  ),
};

/** The name of the cluster that a variable configures: `eu-west` of `EU_WEST_KUBERNETES_CONFIG`. */
export function clusterNameOf(name: string): string {
  const word = name.slice(0, -variable.length).replace(/_$/, '');
  return word === '' ? defaultCluster : word.toLowerCase().replaceAll('_', '-');
}
