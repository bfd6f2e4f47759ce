import { instanceKey } from '../../broker/key.ts';
import type { Provisioner, Resource, Work } from '../../broker/provisioner.ts';
import type { ServicePlan } from '../../broker/catalog.ts';
import { runSequence } from '../../node/step-sequence.ts';
import { setTimeout as pause } from 'node:timers/promises';
import type { KubernetesSettings } from './context.ts';
import { removingSteps } from './deeds/deprovision.ts';
import { instancesIn } from './objects/search.ts';

/** Milliseconds. */
const listLimit = 30_000;
const purgeLimit = 50_000;

/** What there is of this broker's instances in all clusters; when one cannot be asked, nothing is told. */
export function inventoryOf(
  settings: KubernetesSettings,
): Required<Pick<Provisioner, 'inventory' | 'purge'>> {
  return {
    async inventory() {
      const { clusters, sharedNamespaces } = settings;
      const signal = AbortSignal.timeout(listLimit);
      const installation = await settings.installation();
      const lists = clusters.names.map(async (name): Promise<readonly Resource[]> => {
        const cluster = clusters.find(name);
        const all = cluster ? await instancesIn(cluster, installation, sharedNamespaces(name), signal) : [];
        return all.map(({ key, namespace }) => ({ key, name: nameOf(key, namespace, name) }));
      });
      return (await Promise.all(lists)).flat();
    },
    purge: (thing) => purge(settings, thing),
  };
}

function nameOf(key: string, namespace: string, cluster: string): string {
  return key === namespace
    ? `namespace ${key} in ${cluster}`
    : `objects of ${key} in ${namespace} of ${cluster}`;
}

/** As a deprovision of which nothing is recorded; what takes longer goes on at the next look. */
async function purge(settings: KubernetesSettings, { key, name }: Resource): Promise<void> {
  if (key === undefined) throw new Error(`Nobody knows what '${name}' is.`);
  const signal = AbortSignal.timeout(purgeLimit);
  for (let memo: Work['memo']; ;) {
    const work = { ...strayWork(key), memo, signal };
    const step = await runSequence(removingSteps(settings), 'check', work, () => undefined);
    if ('done' in step) return;
    memo = step.again.memo;
    await pause(step.again.afterMs, undefined, { signal });
  }
}

/** There is no row any more: only its key is known. */
function strayWork(key: string): Omit<Work, 'signal' | 'memo'> {
  const instance = {
    id: key,
    key,
    confidential: { parameters: {}, secrets: {}, facts: {} },
  } as Work['instance'];
  const making = { config: { namespace: '', objects: {} } };
  const plan = { making, operating: { timeouts: {} } } as unknown as ServicePlan;
  return {
    operationId: `purge-${instanceKey(instance)}`,
    instance,
    plan,
    values: {},
    redact: (text) => text,
  };
}
