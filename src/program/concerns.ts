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
    const told = new Set<string>();
    const note = (sentences: readonly string[]) => {
      for (const sentence of sentences) if (!told.has(sentence)) log.note('warn', sentence);
      sentences.forEach((sentence) => told.add(sentence));
    };
    for (const plan of plans) {
      const concerns = makers?.get(plan.making.provisioner).concerns?.(plan) ?? [];
      if (concerns instanceof Promise) void concerns.then(note, () => undefined);
      else note(concerns);
    }
  }
  tell(plansOf(currentCatalog.catalog()));
  return tell;
}
