import { type Json, memberOf } from '../../broker/json.ts';
import type { Work } from '../../broker/provisioner.ts';
import { render } from '../../broker/template.ts';
import type { UnitFacts } from '../../broker/units.ts';
import {
  type ClusterContext,
  contextOf,
  factsOf,
  filling,
  type KubernetesSettings,
  placeIn,
} from './context.ts';
import { requireSameCluster } from './deeds/begin.ts';
import { configOf, type UnitTemplate } from './form/config.ts';
import { drawAll } from './objects/draw.ts';
import { awaitedOf, lookAt, type Sight } from './objects/look.ts';
import { plainText } from './objects/plain-text.ts';

/** How each unit is now, by one list for each kind. */
export async function inspect(settings: KubernetesSettings, work: Work): Promise<readonly UnitFacts[]> {
  const units = Object.entries(configOf(work.plan).units);
  const gone = (fault: string) =>
    units.map(([unit]): UnitFacts => ({ unit, alive: false, answer: 'unasked', fault }));
  const place = placeIn(factsOf(work));
  if (!place) return gone('it was not made');
  await requireSameCluster(settings, place, work);
  const context = await contextOf(settings, { work, kept: {}, tries: 1 });
  const drawn = drawAll(context, { templates: context.config.objects, made: context.made });
  const watched = drawn.filter(({ name }) => units.some(([, { object }]) => object === name));
  const sights = await lookAt(context, awaitedOf(watched, context.made, context), {
    giveUpMs: work.plan.operating.timeouts['start'],
  });
  return units.map(([unit, template]) => {
    const sight = sights.find(({ name }) => name === template.object);
    return { unit, ...stateOf(sight), address: addressOf(context, template) };
  });
}

function stateOf(sight: Sight | undefined): Omit<UnitFacts, 'unit'> {
  const { object, verdict } = sight ?? {};
  if (!object || !verdict) return { alive: false, answer: 'unasked', fault: 'it is gone from the cluster' };
  const isAtRest = memberOf(object, 'spec')['replicas'] === 0 || verdict.state === 'stopped';
  if (isAtRest) return { alive: false, answer: 'unasked', reason: 'it has no pods' };
  if (verdict.state === 'ready') return { alive: true, answer: 'ready' };
  const reason = 'reason' in verdict ? `it ${verdict.reason}` : undefined;
  return verdict.state === 'failed'
    ? { alive: true, answer: 'unasked', failed: reason ?? 'it has failed' }
    : { alive: true, answer: 'silent', reason };
}

/** As the offering says it, or the first Service there is. */
function addressOf(context: ClusterContext, { address }: UnitTemplate): string | undefined {
  const { config, made, place, roots } = context;
  if (address !== undefined) {
    const all = { ...roots, objects: made as unknown as Json };
    return plainText(filling(() => render(address, all)));
  }
  const [name, service] = Object.entries(config.objects).find(([, { kind }]) => kind === 'Service') ?? [];
  const { ports } = memberOf(service?.object, 'spec');
  const [first] = Array.isArray(ports) ? (ports as readonly Json[]) : [];
  const port = memberOf({ first: first ?? null }, 'first')['port'];
  const known = made[name ?? ''];
  return known && typeof port === 'number' ? `${known.name}.${place.namespace}.svc:${port}` : undefined;
}
