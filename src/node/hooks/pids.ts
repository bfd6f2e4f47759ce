import type { Hook } from '../../broker/catalog.ts';
import { type JsonObject, memberOf } from '../../broker/json.ts';
import { expressionsIn } from '../../broker/template.ts';

/** Does the environment of this hook name the process of a unit, as `{{pids.server}}`? */
export function namesPids({ env }: Hook): boolean {
  return Object.values(env).some((text) => pidNamesIn(text).length > 0);
}

/**
 * Does the text name a unit that has no process now, or a parameter or former secret that what was asked for does not
 * have? Then the variable is not there at all.
 */
export function lacksNamed(text: string, values: JsonObject): boolean {
  const pids = memberOf(values, 'pids');
  const asked = memberOf(values, 'asked');
  return (
    pidNamesIn(text).some((unit) => !Object.hasOwn(pids, unit)) ||
    expressionsIn(text).some(
      ({ path: [root, member = '', name] }) =>
        root === 'asked' && name !== undefined && !Object.hasOwn(memberOf(asked, member), name),
    )
  );
}

function pidNamesIn(text: string): readonly string[] {
  return expressionsIn(text).flatMap(({ path: [root, unit = ''] }) => (root === 'pids' ? [unit] : []));
}
