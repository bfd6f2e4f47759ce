import { type Json, type JsonObject, sameJson } from '../../../broker/json.ts';

/**
 * Credentials as environment variables: tsuru reads a map of texts, and one number in it fails the whole bind. Always
 * in the same order, so that all units of an app get the same bytes.
 */
export function envOf(offering: string, credentials: JsonObject = {}): Readonly<Record<string, string>> {
  const entries = Object.entries(credentials)
    .filter(([, value]) => !sameJson(value, null))
    .map(([key, value]): [string, string] => [variableOf(offering, key), textOf(value)]);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function textOf(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `MARIADB_PORT`; only what a shell takes as a name. */
function variableOf(offering: string, key: string): string {
  const name = `${offering}_${key}`.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_');
  return /^[0-9]/.test(name) ? `_${name}` : name;
}
