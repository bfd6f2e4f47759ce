import type { Catalog, ServicePlan } from '../../broker/catalog.ts';
import { isObject, type Json, type JsonObject, memberOf, stringsIn } from '../../broker/json.ts';
import { sampleValues } from '../../catalog/rendered-plan.ts';
import type { Problem } from '../../catalog/problem.ts';
import { readOnly } from '../../config/access.ts';
import { createClusters } from '../../provisioners/kubernetes/client/clusters.ts';
import { dryRun } from '../../provisioners/kubernetes/dry-run.ts';
import { fixedPlaceOf } from '../../provisioners/kubernetes/form/config.ts';
import { kubernetesOptions } from '../../provisioners/kubernetes/options.ts';

/** Milliseconds that a cluster may take over one plan. */
const patience = 60_000;

/**
 * What a cluster has against the plans that may be made there. Nothing is made.
 * @param name as KUBERNETES_CONFIG and its relatives call it
 * @throws Error when there is no such cluster, or it does not answer
 */
export async function clusterProblems(catalog: Catalog, name: string): Promise<readonly Problem[]> {
  const clusters = createClusters(readOnly(kubernetesOptions));
  try {
    const cluster = clusters.find(name);
    if (!cluster)
      throw new Error(
        clusters.names.length === 0
          ? 'No cluster is configured: KUBERNETES_CONFIG says which.'
          : `There is no cluster '${name}'. There are: ${clusters.names.join(', ')}.`,
      );
    const plans = catalog.offerings.flatMap((offering) => offering.plans).filter((plan) => isFor(plan, name));
    if (plans.length === 0) throw new Error(`The catalog sells nothing in the cluster '${name}'.`);
    const problems: Problem[] = [];
    for (const plan of plans) {
      const file = `${plan.offeringName}, plan ${plan.name}`;
      const parameters = sampleParameters(plan);
      const wrong = plan.check.provision(parameters);
      const found =
        wrong === undefined
          ? await dryRun(cluster, plan, sampleValues(plan, parameters), AbortSignal.timeout(patience))
          : [{ reason: `No example of its parameters is known, so it was not tried. ${wrong}` }];
      const level = wrong === undefined ? 'error' : 'warning';
      problems.push(...found.map(({ at = '', reason }) => ({ file, path: at, reason, level }) as const));
    }
    return problems;
  } finally {
    await clusters.close();
  }
}

function isFor(plan: ServicePlan, name: string): boolean {
  if (plan.making.provisioner !== 'kubernetes') return false;
  const { cluster } = fixedPlaceOf(plan);
  return cluster === undefined || cluster === name;
}

/** Of those that a user must give, what their rules allow. */
function sampleParameters({ schemas }: ServicePlan): JsonObject {
  const create = memberOf(memberOf(memberOf(schemas, 'service_instance'), 'create'), 'parameters');
  const properties = memberOf(create, 'properties');
  return Object.fromEntries(stringsIn(create['required']).map((name) => [name, sampleOf(properties[name])]));
}

function sampleOf(schema: Json | undefined): Json {
  if (!isObject(schema)) return 'sample';
  const { enum: choices, default: usual, type, minimum = 1, minLength } = schema;
  if (Array.isArray(choices) && choices.length > 0) return choices[0] as Json;
  if (usual !== undefined) return usual;
  if (type === 'integer' || type === 'number') return minimum;
  if (type === 'boolean') return false;
  if (type === 'array') return [];
  if (type === 'object') return {};
  return 'sample'.padEnd(Number(minLength ?? 0), 'e');
}
