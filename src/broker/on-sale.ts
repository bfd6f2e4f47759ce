import type { Catalog, ServiceOffering, ServicePlan } from './catalog.ts';
import type { BrokerContext, HiddenOffering } from './context.ts';
import { type NodeState, takesPrograms } from './nodes.ts';
import type { Provisioner } from './provisioner.ts';

/** What can be had now, of all that is declared. */
export interface OnSale {
  readonly catalog: Catalog;
  readonly hidden: readonly HiddenOffering[];
}

/** All that is declared: instances live on when their offering is hidden. */
export function declaredOfferings({
  catalog,
  hidden,
}: Pick<BrokerContext, 'catalog' | 'hidden'>): readonly ServiceOffering[] {
  return [...catalog().offerings, ...hidden().map(({ offering }) => offering)];
}

type ByName = (name: string) => Provisioner;

/**
 * Leaves out the plans of which nobody could make an instance, and the offerings without any other. When that is
 * nothing, the catalog is given back as it is.
 * @param nodes all that are known: one that is away keeps its offerings, or the catalog would come and go with it
 */
export function onSaleOf(catalog: Catalog, nodes: readonly NodeState[], provisioner: ByName): OnSale {
  const reasonOf = createReasons(catalog, nodes, provisioner);
  const kept: ServiceOffering[] = [];
  const hidden: HiddenOffering[] = [];
  for (const offering of catalog.offerings) {
    const plans = offering.plans.filter((plan) => reasonOf(plan) === undefined);
    if (plans.length === offering.plans.length) kept.push(offering);
    else if (plans.length > 0) kept.push({ ...offering, plans });
    else hidden.push({ offering, reason: whyNone(offering, reasonOf) });
  }
  const isWhole = kept.every((offering, index) => offering === catalog.offerings[index]);
  return { catalog: isWhole && hidden.length === 0 ? catalog : { ...catalog, offerings: kept }, hidden };
}

/**
 * `offeredOf` for those who ask again and again: as long as the same is offered it is the same catalog, and one in
 * which something else has changed than the files was loaded when that was seen.
 */
export function createOnSale(
  provisioner: ByName,
  now: () => Date,
): (declared: Catalog, nodes: readonly NodeState[]) => OnSale {
  let last: { readonly declared: Catalog; readonly catalog: Catalog } | undefined;
  return (declared, nodes) => {
    const { catalog, hidden } = onSaleOf(declared, nodes, provisioner);
    const isKnown = last?.declared === declared;
    if (!last || !isKnown) last = { declared, catalog };
    else if (!isSameOffer(last.catalog, catalog))
      last = { declared, catalog: { ...catalog, loadedAt: now() } };
    return { catalog: last.catalog, hidden };
  };
}

function isSameOffer(a: Catalog, b: Catalog): boolean {
  const [plans, others] = [a, b].map(({ offerings }) => offerings.flatMap((offering) => offering.plans));
  return plans?.length === others?.length && plans?.every((plan, index) => plan === others?.[index]) === true;
}

type ReasonOf = (plan: ServicePlan) => string | undefined;

/** Why a plan cannot be had, as a sentence; looked for once for each plan, however many need it. */
function createReasons(catalog: Catalog, nodes: readonly NodeState[], provisioner: ByName): ReasonOf {
  const known = new Map<ServicePlan, string | undefined>();
  return function reasonOf(plan) {
    if (known.has(plan)) return known.get(plan);
    // Needs that go in a circle never pass the checks of the files; here they must only end.
    known.set(plan, undefined);
    const reason = ownReason(plan, nodes, provisioner) ?? neededReason(plan, catalog, reasonOf);
    known.set(plan, reason);
    return reason;
  };
}

function ownReason(plan: ServicePlan, nodes: readonly NodeState[], provisioner: ByName): string | undefined {
  const maker = provisioner(plan.making.provisioner);
  const clause = maker.obstacle?.(plan);
  if (clause !== undefined) return sentenceOf(clause);
  if (!maker.traits.local) return undefined;
  const { needs = [] } = maker.traits;
  const all = [...plan.operating.executables, ...needs];
  return partReason(needs, nodes) ?? nodeReason(all, nodes) ?? isolationReason(maker, all, nodes);
}

/** Of what is no executable. */
function partReason(needs: readonly string[], nodes: readonly NodeState[]): string | undefined {
  const missing = needs.find((need) => !nodes.some(({ executables }) => executables.includes(need)));
  return missing === undefined || nodes.length === 0 ? undefined : `No node has a ${missing}.`;
}

function nodeReason(needs: readonly string[], nodes: readonly NodeState[]): string | undefined {
  if (nodes.length === 0) return 'There is no node.';
  if (nodes.some(({ executables }) => needs.every((name) => executables.includes(name)))) return undefined;
  const missing = needs.filter((name) => !nodes.some(({ executables }) => executables.includes(name)));
  if (missing.length === 0) return `No node has all of the executables ${listed(needs)}.`;
  const [noun, verb] = missing.length === 1 ? ['executable', 'was'] : ['executables', 'were'];
  return `The ${noun} ${listed(missing)} ${verb} not found on any node.`;
}

/** Of the nodes that have all it needs, one must keep its programs apart. */
function isolationReason(
  { traits }: Provisioner,
  needs: readonly string[],
  nodes: readonly NodeState[],
): string | undefined {
  if (traits.runsPrograms !== true) return undefined;
  const able = nodes.filter(({ executables }) => needs.every((name) => executables.includes(name)));
  return able.some(takesPrograms) ? undefined : unisolatedReason;
}

/** Of what runs programs, where it is for the operator to decide. */
export const unisolatedReason =
  'No node keeps its programs apart from others: that takes root or bwrap, or ALLOW_UNISOLATED set to true.';

function neededReason(plan: ServicePlan, catalog: Catalog, reasonOf: ReasonOf): string | undefined {
  for (const need of Object.values(plan.operating.dependencies)) {
    const offering = catalog.offerings.find(({ name }) => name === need.offering);
    // One that is there already need not be made; that it is there is asked when somebody wants one that needs it.
    if (offering && need.instance !== undefined) continue;
    const plans = offering?.plans.filter(({ name }) => need.plan === undefined || name === need.plan) ?? [];
    if (plans.some((needed) => reasonOf(needed) === undefined)) continue;
    const [why = 'It is not in the catalog.'] = plans.map(reasonOf);
    return `It needs the offering ${need.offering}, which cannot be made: ${why}`;
  }
  return undefined;
}

function whyNone({ plans }: ServiceOffering, reasonOf: ReasonOf): string {
  return [...new Set(plans.map(reasonOf))].join(' ');
}

function sentenceOf(clause: string): string {
  return `${clause.charAt(0).toUpperCase()}${clause.slice(1).replace(/\.$/, '')}.`;
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}
