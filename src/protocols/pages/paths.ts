/** Where pages are. What they show has any id, so ids stand in the query: one of dots would be folded away in a path. */
const base = '/operator/pages';

export const home = '/operator';

export function pathTo(page: string, query: Readonly<Record<string, string | undefined>> = {}): string {
  const said = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const search = new URLSearchParams(said).toString();
  return `${page === '' ? home : `${base}/${page}`}${search === '' ? '' : `?${search}`}`;
}

export function instancePath(id: string): string {
  return pathTo('instance', { id });
}

export function operationPath(id: string): string {
  return pathTo('operation', { id });
}

export function upgradePath(run: string): string {
  return pathTo('upgrade', { id: run });
}

/** In the order of the menu. */
export const menu = [
  ['', 'Overview'],
  ['instances', 'Instances'],
  ['bindings', 'Bindings'],
  ['operations', 'Operations'],
  ['upgrades', 'Upgrades'],
  ['nodes', 'Nodes'],
  ['orphans', 'Orphans'],
  ['catalog', 'Catalog'],
  ['quotas', 'Quotas'],
  ['authorities', 'Authorities'],
  ['audit', 'Audit trail'],
] as const;
