import { isObject, sameJson, type Json } from '../../../broker/json.ts';

type Segment =
  { readonly member: string } | { readonly index: number } | { readonly where: string; readonly is: string };

/** `status.phase`, `spec.ports[0].port`, `status.conditions[type=Ready].status`, `metadata.annotations["a.b/c"]`. */
const segment =
  /(?<first>^|\.)(?<member>[A-Za-z_$][\w$-]*)|\[(?<index>\d{1,9})\]|\["(?<quoted>[^"\]]+)"\]|\[(?<where>[A-Za-z_][\w-]*)=(?<is>[^\]"[]+)\]/y;

/** What stands in an object at a path; undefined where there is nothing, or where the path is none. */
export function readPath(object: Json, path: string): Json | undefined {
  return segmentsOf(path)?.reduce<Json | undefined>((value, one) => step(value, one), object);
}

function step(value: Json | undefined, one: Segment): Json | undefined {
  if ('member' in one)
    return isObject(value) && Object.hasOwn(value, one.member) ? value[one.member] : undefined;
  if (!Array.isArray(value)) return undefined;
  const items: readonly Json[] = value;
  if ('index' in one) return items[one.index];
  return items.find((item) => isObject(item) && sameJson(item[one.where], one.is));
}

/** Why this is no path, as a clause; undefined when it is one. */
export function pathProblem(path: string): string | undefined {
  if (segmentsOf(path)) return undefined;
  return `'${path}' is no path such as status.phase, spec.ports[0].port, status.conditions[type=Ready].status or metadata.annotations["a.b/c"]`;
}

function segmentsOf(path: string): readonly Segment[] | undefined {
  if (path.startsWith('.')) return undefined;
  const found: Segment[] = [];
  const reader = new RegExp(segment);
  while (reader.lastIndex < path.length) {
    const groups = reader.exec(path)?.groups;
    if (!groups) return undefined;
    found.push(segmentOf(groups));
  }
  return found.length > 0 ? found : undefined;
}

function segmentOf({
  member,
  index,
  quoted,
  where,
  is,
}: Readonly<Record<string, string | undefined>>): Segment {
  if (index !== undefined) return { index: Number(index) };
  if (where !== undefined && is !== undefined) return { where, is };
  return { member: member ?? quoted ?? '' };
}
