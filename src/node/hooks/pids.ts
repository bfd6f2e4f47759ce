import type { Hook } from '../../broker/catalog.ts';
import { isObject, type JsonObject } from '../../broker/json.ts';
import { expressionsIn } from '../../broker/template.ts';

/** Does the environment of this hook name the process of a unit, as `{{pids.server}}`? */
export function namesPids({ env }: Hook): boolean {
  return Object.values(env).some((text) => pidNamesIn(text).length > 0);
}

/** Does the text name a unit that has no process now? Then the variable is not there at all. */
export function lacksPid(text: string, { pids }: JsonObject): boolean {
  const known = isObject(pids) ? pids : {};
  return pidNamesIn(text).some((unit) => !Object.hasOwn(known, unit));
}

function pidNamesIn(text: string): readonly string[] {
  return expressionsIn(text).flatMap(({ path: [root, unit = ''] }) => (root === 'pids' ? [unit] : []));
}
