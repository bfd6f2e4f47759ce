import type { CaseGroup } from './case.ts';
import { answerCases } from './cases/answers.ts';
import { bindBodyCases } from './cases/bindings/binding-bodies.ts';
import { bindingIdCases } from './cases/bindings/binding-ids.ts';
import { bindingCases } from './cases/bindings/binding.ts';
import { bindingFetchingCases } from './cases/bindings/fetching-bindings.ts';
import { rotationCases } from './cases/bindings/rotation.ts';
import { catalogDetailCases } from './cases/catalog/catalog-details.ts';
import { catalogPlatformCases } from './cases/catalog/catalog-platforms.ts';
import { catalogCases } from './cases/catalog/catalog.ts';
import { errorCases } from './cases/errors.ts';
import { fetchingCases } from './cases/fetching.ts';
import { authenticationCases } from './cases/http/authentication.ts';
import { bodyCases } from './cases/http/bodies.ts';
import { headerCases } from './cases/http/headers.ts';
import { idCases } from './cases/http/ids.ts';
import { oddBodyCases } from './cases/http/odd-bodies.ts';
import { oddPathCases } from './cases/http/odd-paths.ts';
import { routeCases } from './cases/http/routes.ts';
import { provisionAgainCases } from './cases/instances/provisioning-again.ts';
import { provisionBodyCases } from './cases/instances/provisioning-bodies.ts';
import { provisioningCases } from './cases/instances/provisioning.ts';
import { updateMemberCases } from './cases/instances/updating-members.ts';
import { refusedUpdateCases } from './cases/instances/updating-refused.ts';
import { updatingCases } from './cases/instances/updating.ts';
import { differentAtOnceCases } from './cases/many/different-at-once.ts';
import { sameAtOnceCases } from './cases/many/same-at-once.ts';
import { busyThingCases } from './cases/operations/busy-things.ts';
import { busyCases } from './cases/operations/busy.ts';
import { bindingPollingCases } from './cases/operations/polling-bindings.ts';
import { pollingCases } from './cases/operations/polling.ts';
import { deprovisioningCases, unbindingCases } from './cases/removing.ts';
import { unseenCases } from './cases/unseen.ts';
import { wholeLifeCases } from './cases/whole-life.ts';

/** All cases, in the order in which they are looked at: add yours to the list. */
export const caseGroups: readonly CaseGroup[] = [
  catalogCases,
  catalogDetailCases,
  catalogPlatformCases,
  headerCases,
  authenticationCases,
  provisioningCases,
  provisionBodyCases,
  provisionAgainCases,
  pollingCases,
  bindingPollingCases,
  busyCases,
  busyThingCases,
  bindingCases,
  bindBodyCases,
  bindingIdCases,
  rotationCases,
  fetchingCases,
  bindingFetchingCases,
  updatingCases,
  refusedUpdateCases,
  updateMemberCases,
  unbindingCases,
  deprovisioningCases,
  wholeLifeCases,
  sameAtOnceCases,
  differentAtOnceCases,
  bodyCases,
  oddBodyCases,
  routeCases,
  idCases,
  oddPathCases,
  errorCases,
  answerCases,
  unseenCases,
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
