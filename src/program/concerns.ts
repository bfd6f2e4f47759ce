import type { ServicePlan } from '../broker/catalog.ts';
import type { Registry } from '../provisioners/index.ts';
import type { Log } from '../telemetry/log.ts';
import { plansOf, type CurrentCatalog } from './current-catalog.ts';

interface ConcernsParts {
  readonly log: Pick<Log, 'note'>;
  readonly currentCatalog: Pick<CurrentCatalog, 'catalog'>;
}

/**
 * Tells at once, and of the plans of every later call, what keeps this broker's node from making some of them: a line
 * for each matter, although several plans have it.
 * @param makers of the node; absent: this broker is none, and has nothing to tell
 */
export function concernsTeller(
  { log, currentCatalog }: ConcernsParts,
  makers: Pick<Registry, 'get'> | undefined,
): (plans: readonly ServicePlan[]) => void {
  function tell(plans: readonly ServicePlan[]): void {
    const told = plans.flatMap((plan) => makers?.get(plan.making.provisioner).concerns?.(plan) ?? []);
    for (const sentence of new Set(told)) log.note('warn', sentence);
  }
  tell(plansOf(currentCatalog.catalog()));
  return tell;
}
