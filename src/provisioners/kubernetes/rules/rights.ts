import { memberOf, stringsIn, type Json, type JsonObject } from '../../../broker/json.ts';

/** What is done with a resource: `{ group: 'apps', resource: 'statefulsets', verbs: ['get', 'patch'] }`. */
export interface Need {
  readonly group: string;
  /** As in roles: `pods/exec` for a part of one. */
  readonly resource: string;
  readonly verbs: readonly string[];
}

/**
 * What of the needs these rules (the `status` of a SelfSubjectRulesReview) do not allow, each as `patch statefulsets.apps`.
 * A review that is incomplete says nothing of what it does not list, so nothing is missing then.
 */
export function missingRights(rules: JsonObject, needs: readonly Need[]): readonly string[] {
  if (rules['incomplete'] === true) return [];
  const given = Array.isArray(rules['resourceRules']) ? (rules['resourceRules'] as readonly Json[]) : [];
  return needs.flatMap(({ group, resource, verbs }) =>
    verbs
      .filter((verb) => !given.some((rule) => allows({ rule }, { group, resource, verb })))
      .map((verb) => `${verb} ${group === '' ? resource : `${resource}.${group}`}`),
  );
}

function allows(
  given: JsonObject,
  { group, resource, verb }: { group: string; resource: string; verb: string },
): boolean {
  const rule = memberOf(given, 'rule');
  // A rule for objects of certain names allows nothing of objects to come.
  if (stringsIn(rule['resourceNames']).length > 0) return false;
  const part = resource.includes('/') ? [`*/${resource.slice(resource.indexOf('/') + 1)}`] : [];
  return (
    includesAny(rule['verbs'], [verb, '*']) &&
    includesAny(rule['apiGroups'], [group, '*']) &&
    includesAny(rule['resources'], [resource, '*', ...part])
  );
}

function includesAny(list: Json | undefined, wanted: readonly string[]): boolean {
  return stringsIn(list).some((one) => wanted.includes(one));
}
