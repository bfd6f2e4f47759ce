import { unisolatedReason } from '../broker/on-sale.ts';
import type { HiddenOffering } from '../broker/context.ts';

/**
 * One line for all that is not on sale, with what is to be installed for it: `3 offerings need programs that are not
 * here: groonga, memcached, nats-server.` One alone has its reason.
 */
export function hiddenLine(hidden: readonly HiddenOffering[]): string {
  const [only, ...more] = hidden;
  if (only && more.length === 0) return `${only.offering.name}: ${only.reason}`;
  if (hidden.every(({ reason }) => reason === unisolatedReason))
    return `${hidden.length} offerings: ${unisolatedReason}`;
  const plans = hidden.flatMap(({ offering }) => offering.plans);
  const needs = [...new Set(plans.flatMap(({ operating }) => operating.executables))].toSorted((a, b) =>
    a.localeCompare(b),
  );
  const what = `${hidden.length} offerings`;
  const why = '`npm start -- offerings` says why';
  if (needs.length === 0) return `${what} cannot be made here; ${why}`;
  return `${what} need programs that are not here (of ${needs.join(', ')}); ${why}`;
}
