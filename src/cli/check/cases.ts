import type { CaseGroup } from './case.ts';
import { authenticationCases } from './cases/authentication.ts';
import { catalogCases } from './cases/catalog.ts';
import { headerCases } from './cases/headers.ts';
import { bodyCases } from './cases/bodies.ts';
import { bindBodyCases } from './cases/binding-bodies.ts';
import { catalogPlatformCases } from './cases/catalog-platforms.ts';
import { refusedUpdateCases } from './cases/updating-refused.ts';
import { bindingCases } from './cases/binding.ts';
import { busyCases } from './cases/busy.ts';
import { catalogDetailCases } from './cases/catalog-details.ts';
import { errorCases } from './cases/errors.ts';
import { fetchingCases } from './cases/fetching.ts';
import { pollingCases } from './cases/polling.ts';
import { deprovisioningCases, unbindingCases } from './cases/removing.ts';
import { updatingCases } from './cases/updating.ts';
import { provisionBodyCases } from './cases/provisioning-bodies.ts';
import { provisioningCases } from './cases/provisioning.ts';

/** All cases, in the order in which they are looked at: add yours to the list. */
export const caseGroups: readonly CaseGroup[] = [
  catalogCases,
  catalogDetailCases,
  catalogPlatformCases,
  headerCases,
  authenticationCases,
  provisioningCases,
  provisionBodyCases,
  pollingCases,
  busyCases,
  bindingCases,
  bindBodyCases,
  fetchingCases,
  updatingCases,
  refusedUpdateCases,
  unbindingCases,
  deprovisioningCases,
  bodyCases,
  errorCases,
];

/** Of those named, by their groups or their numbers, or the begins of these; of all, when none is named. */
export function casesNamed(names: readonly string[]): readonly CaseGroup[] {
  if (names.length === 0) return caseGroups;
  const isNamed = (group: string, id: string) =>
    names.some(
      (name) => group === name || id === name || id.startsWith(`${name}-`) || id.startsWith(`${name}.`),
    );
  return caseGroups
    .map(({ name, cases }) => ({ name, cases: cases.filter(({ id }) => isNamed(name, id)) }))
    .filter(({ cases }) => cases.length > 0);
}
