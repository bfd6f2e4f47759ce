import { randomUUID } from 'node:crypto';
import { isObject, type Json, type JsonObject } from '../../broker/json.ts';
import { known } from './requests.ts';

/**
 * By whom and on what occasion an instance is made, as it stands in its context from then on. tsuru lets its users
 * choose the names and never repeats a create: a second one with the same name is another user's, unless it is the
 * same request, which something on its way has sent again.
 */
export function creatorOf(team: string | undefined, event: string | undefined): JsonObject {
  return known({ team, event, attempt: randomUUID() });
}

/** Of a context, also of one that was written when `created` was not yet kept in it. */
export function creatorIn({ created, team, event }: JsonObject): JsonObject {
  return isObject(created) ? created : known({ team: textOf(team), event: textOf(event) });
}

/** Of the same attempt, or of the same event for the same team; without an event nothing shows that two are one. */
export function isSameCreate(one: JsonObject, other: JsonObject): boolean {
  const isSame = (name: string) => one[name] !== undefined && one[name] === other[name];
  return isSame('attempt') || (isSame('event') && one['team'] === other['team']);
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
