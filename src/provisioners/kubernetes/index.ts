/**
 * Instances that are objects of a Kubernetes cluster, from what the offering file declares alone: applied on the server
 * under a name of ours, awaited by rules for each kind, and removed by what is recorded (docs/kubernetes.md).
 */
import type { ServicePlan } from '../../broker/catalog.ts';
import type { Provisioner } from '../../broker/provisioner.ts';
import type { Clusters } from './cluster.ts';
import { clusterProblem, type KubernetesSettings } from './context.ts';
import { bind, unbind } from './deeds/bind.ts';
import { deprovision } from './deeds/deprovision.ts';
import { provision } from './deeds/provision.ts';
import { restart, start, stop } from './deeds/start-stop.ts';
import { update } from './deeds/update.ts';
import { fixedPlaceOf } from './form/config.ts';
import { traits } from './form/traits.ts';
import { exec, log } from './exec-and-log.ts';
import { inspect } from './inspect.ts';
import { inventoryOf } from './inventory.ts';
import { createClusterLooks } from './shortfall.ts';

/** @param installation what this broker's objects are told from those of others by */
export function kubernetes({
  clusters,
  installation,
}: Omit<KubernetesSettings, 'sharedNamespaces'>): Provisioner {
  const shared = createSharedNamespaces(clusters);
  const looks = createClusterLooks();
  const settings: KubernetesSettings = { clusters, installation, sharedNamespaces: shared.of };
  return {
    name: 'kubernetes',
    traits,
    provision: (work) => provision(settings, work),
    deprovision: (work) => deprovision(settings, work),
    update: (work) => update(settings, work),
    bind: (work) => bind(settings, work),
    unbind: (work) => unbind(settings, work),
    units: {
      inspect: (work) => inspect(settings, work),
      start: async (work) => start(settings, work),
      stop: async (work) => stop(settings, work),
      restart: async (work) => restart(settings, work),
      exec: (work, execution) => exec(settings, work, execution),
      log: (work, query) => log(settings, work, query),
    },
    ...inventoryOf(settings),
    obstacle(plan) {
      const fixed = fixedPlaceOf(plan);
      shared.note(plan);
      const cluster = clusters.find(fixed.cluster);
      if (!cluster) return clusterProblem(clusters, fixed.cluster);
      const isOwn = fixed.namespace === 'own';
      // What is true of all namespaces is true of any; where only an instance knows its own, nothing can be said.
      const namespace = isOwn ? 'default' : fixed.namespace;
      return namespace === undefined ? undefined : looks.shortfallOf(plan, cluster, { namespace, isOwn });
    },
    async close() {
      looks.close();
      await clusters.close();
    },
  };
}

/** What offerings have named is remembered, for the inventory. */
function createSharedNamespaces(clusters: Clusters) {
  const known = new Map<string, Set<string>>();
  return {
    note(plan: ServicePlan) {
      const { cluster, namespace } = fixedPlaceOf(plan);
      const name = clusters.find(cluster)?.name;
      if (name === undefined || namespace === undefined || namespace === 'own') return;
      known.set(name, (known.get(name) ?? new Set()).add(namespace));
    },
    of: (cluster: string): readonly string[] => [...(known.get(cluster) ?? [])],
  };
}
