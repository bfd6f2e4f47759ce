import { isObject, type Json, type JsonObject } from '../../broker/json.ts';
import { positionIn } from '../../broker/template.ts';
import type { Locate } from '../form/positions.ts';
import { mistake, type Problem } from '../problem.ts';

/** An offering file as it was read, whatever its form. */
export interface RawFile {
  readonly file: string;
  readonly offering: JsonObject;
  readonly locate?: Locate | undefined;
}

/**
 * Ids and names that stand twice: ids of offerings, of plans and of dashboard clients in the whole catalog,
 * names of offerings in the catalog, names of plans in their offering.
 */
export function uniqueProblems(files: readonly RawFile[]): readonly Problem[] {
  const first = new Map<string, Claim>();
  return files.flatMap(claimsOf).flatMap((claim) => {
    const key = JSON.stringify([claim.kind, claim.scope, claim.value]);
    const taken = first.get(key);
    if (!taken) first.set(key, claim);
    const where = taken?.file === claim.file ? taken.path : `${taken?.file}: ${taken?.path}`;
    const reason = `This ${claim.kind} is taken already: ${where}.`;
    return taken ? [{ file: claim.file, ...mistake(claim.path, reason) }] : [];
  });
}

interface Claim {
  readonly file: string;
  readonly path: string;
  readonly kind: string;
  readonly scope: string;
  readonly value: string;
}

function claimsOf({ file, offering }: RawFile): readonly Claim[] {
  const { id, name, dashboard_client: client, plans } = offering;
  const claim = (kind: string, path: string, value: Json | undefined, scope = ''): readonly Claim[] =>
    typeof value === 'string' && value !== '' ? [{ file, path, kind, scope, value }] : [];
  const planList = Array.isArray(plans) ? (plans as readonly Json[]) : [];
  return [
    ...claim('id of an offering', 'id', id),
    ...claim('name of an offering', 'name', name),
    ...(isObject(client) ? claim('id of a dashboard client', 'dashboard_client.id', client['id']) : []),
    ...planList.flatMap((plan, index) => {
      const at = positionIn('plans', index);
      if (!isObject(plan)) return [];
      return [
        ...claim('id of a plan', positionIn(at, 'id'), plan['id']),
        ...claim('name of a plan', positionIn(at, 'name'), plan['name'], file),
      ];
    }),
  ];
}
