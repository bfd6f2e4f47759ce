import { type AuditEntry, auditEntry, underAudit } from '../../broker/audit.ts';
import type { ServicePlan } from '../../broker/catalog.ts';
import type { BrokerContext } from '../../broker/context.ts';
import type { Store } from '../../broker/store.ts';
import type { CatalogWatch } from '../../catalog/watch.ts';
import { plansOf, type CurrentCatalog } from '../current-catalog.ts';
import { jsonOf, type JsonObject } from '../../broker/json.ts';

/** Stores the plans with which a broker starts; what is new has an entry. */
export function saveDeclared(
  currentCatalog: CurrentCatalog,
  auditor: Pick<BrokerContext, 'newId' | 'settings'>,
  save: Store['saveRevisions'],
): Promise<void> {
  const plans = plansOf(currentCatalog.catalog());
  return save(plans, startedCatalog(auditor, plans));
}

/** Follows the catalog: its entry is there before any change is. @param offerPlans prepares what goes on sale */
export function followCatalog(
  currentCatalog: CurrentCatalog,
  core: BrokerContext,
  offerPlans: (plans: readonly ServicePlan[]) => Promise<void>,
): CatalogWatch {
  return currentCatalog.watch((plans) =>
    changeCatalog(core, { before: plansOf(currentCatalog.catalog()), after: plans }, async () => {
      await offerPlans(plans);
      return { older: await core.store.countDrifted(plans) };
    }),
  );
}

/**
 * Changes the catalog; its entry is there before anything is done. Where no plan is another one than before, there is
 * nothing to be told.
 */
function changeCatalog<Result>(
  core: BrokerContext,
  plans: { readonly before: readonly ServicePlan[]; readonly after: readonly ServicePlan[] },
  change: () => Promise<Result>,
): Promise<Result> {
  const changes = changesOf(plans.before, plans.after);
  return Object.keys(changes).length === 0 ? change() : underAudit(core, entryOf(core, changes), change);
}

/** Of the catalog with which a broker starts, for when it has plans that no broker has had before. */
function startedCatalog(
  core: Pick<BrokerContext, 'newId' | 'settings'>,
  plans: readonly ServicePlan[],
): AuditEntry {
  const offerings = [...new Set(plans.map(({ offeringName }) => offeringName))];
  return { ...entryOf(core, { offerings, plans: plans.length }), outcome: 'succeeded' };
}

function entryOf(core: Pick<BrokerContext, 'newId' | 'settings'>, after: JsonObject): AuditEntry {
  const object = { kind: 'catalog', id: 'catalog' } as const;
  return auditEntry(core, { protocol: 'broker' }, { verb: 'reload', object, after });
}

function changesOf(before: readonly ServicePlan[], after: readonly ServicePlan[]): JsonObject {
  const [old, fresh] = [revisionsOf(before), revisionsOf(after)];
  const names = (plans: readonly ServicePlan[], fits: (plan: ServicePlan) => boolean) => {
    const found = plans.filter(fits).map(({ offeringName, name }) => `${offeringName}/${name}`);
    return found.length > 0 ? found : undefined;
  };
  return jsonOf({
    added: names(after, (plan) => !old.has(keyOf(plan))),
    changed: names(after, (plan) => (old.get(keyOf(plan)) ?? plan.revision) !== plan.revision),
    removed: names(before, (plan) => !fresh.has(keyOf(plan))),
  });
}

function revisionsOf(plans: readonly ServicePlan[]): ReadonlyMap<string, string> {
  return new Map(plans.map((plan) => [keyOf(plan), plan.revision]));
}

function keyOf({ offeringId, id }: ServicePlan): string {
  return `${offeringId}\0${id}`;
}
