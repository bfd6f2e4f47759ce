import type { ServicePlan } from '../../broker/catalog.ts';
import { Failure } from '../../broker/errors.ts';
import type { JsonObject } from '../../broker/json.ts';
import type { Cluster } from './cluster.ts';
import type { MadeObjects } from './context.ts';
import { configOf, type ObjectTemplate, orderOf } from './form/config.ts';
import { asking, sentenceOf } from './objects/asking.ts';
import { type DrawContext, drawUpTo } from './objects/draw.ts';
import { nameOf } from './objects/labels.ts';
import { findShortfall } from './shortfall.ts';

/** What a cluster has against an object of a plan, or against the plan as a whole. */
export interface DryRunFinding {
  /** Its place in the offering file, such as `config.objects.redis`. */
  readonly at?: string;
  /** A sentence. */
  readonly reason: string;
}

/**
 * Has a cluster say what it would answer to the objects of an instance and of a binding, without making anything. Those
 * of a namespace that there is not yet are asked for in `default`.
 * @param values template roots with samples
 * @throws Error when the cluster does not answer
 */
export async function dryRun(
  cluster: Cluster,
  plan: ServicePlan,
  values: JsonObject,
  signal: AbortSignal,
): Promise<readonly DryRunFinding[]> {
  const config = configOf(plan);
  const isOwn = config.namespace === 'own';
  const namespace = 'default';
  const shortfall = await findShortfall(cluster, config, { namespace, isOwn }, signal);
  if (shortfall !== undefined) return [{ reason: sentenceOf(shortfall) }];
  const reads = Object.keys({ ...config.read, ...config.bind.read });
  const place = { cluster: { name: cluster.name, uid: 'sample' }, namespace };
  const context: DrawContext = {
    work: { instance: { id: 'sample' } },
    key: 'sample',
    installation: 'sample',
    isOwn,
    place,
    roots: {
      ...values,
      cluster: place.cluster,
      namespace,
      read: Object.fromEntries(reads.map((name) => [name, 'sample'])),
    },
  };
  const own = await dryRunAll(cluster, context, config.objects, {}, signal);
  const bound = await dryRunAll(cluster, context, config.bind.objects, own.made, signal, 'binding');
  return [...own.findings, ...bound.findings];
}

async function dryRunAll(
  cluster: Cluster,
  context: DrawContext,
  templates: Readonly<Record<string, ObjectTemplate>>,
  before: MadeObjects,
  signal: AbortSignal,
  binding?: string,
): Promise<{ readonly findings: readonly DryRunFinding[]; readonly made: MadeObjects }> {
  const findings: DryRunFinding[] = [];
  let made = before;
  for (const wave of orderOf(templates).keys()) {
    const drawn = drawUpTo(context, { templates, made, binding }, wave).filter((one) => one.wave === wave);
    for (const { name, object } of drawn) {
      const { apiVersion, kind } = object;
      const { namespace } = context.place;
      const reason = await reasonAgainst(() => cluster.apply(object, { force: true, dryRun: true }, signal));
      const at = `config.${binding === undefined ? '' : 'bind.'}objects.${name}`;
      if (reason !== undefined) findings.push({ at, reason });
      made = { ...made, [name]: { apiVersion, kind, namespace, name: nameOf(object), uid: someUid, wave } };
    }
  }
  return { findings, made };
}

/** Of what was not made. */
const someUid = '00000000-0000-0000-0000-000000000000';

async function reasonAgainst(apply: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await asking('make', apply);
    return undefined;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return error.hints.detail ?? error.message;
  }
}
