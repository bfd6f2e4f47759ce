import { idOfPlatform } from '../../broker/key.ts';
import { Refusal } from '../../broker/errors.ts';
import type { Call } from '../protocol.ts';
import { isText } from './storable.ts';

export interface RequestIds {
  readonly instanceId: string;
  readonly bindingId: string;
}

const longest = 255;

/** The ids in the path, as the platform says them; empty where the route has none. */
export function readIds({ params }: Call): RequestIds {
  return { instanceId: params['instanceId'] ?? '', bindingId: params['bindingId'] ?? '' };
}

/** Can anything have this id? No character is forbidden (spec.md, URL Properties), but NUL cannot be kept. */
export function isId(id: string): boolean {
  return id.length > 0 && id.length <= longest && isText(id);
}

/** The instance in the path, which is to be made: refuses with invalid. */
export function requireInstanceId(call: Call): string {
  return idOfPlatform(call.platform, requireId(readIds(call).instanceId, 'instance_id'));
}

/** The same of one that is to be there: nothing was ever made with an id that cannot be, so it is not found. */
export function requireFindableInstance(call: Call): string {
  return idOfPlatform(call.platform, requireFindable(readIds(call).instanceId, 'instance'));
}

/** For creating: refuses with invalid. */
export function requireId(id: string, field: 'instance_id' | 'binding_id'): string {
  if (isId(id)) return id;
  throw new Refusal('invalid', `The ${field} must have 1 to ${longest} characters and no NUL.`, field);
}

/** For reading and changing: nothing was ever made with such an id, so it is not found. */
export function requireFindable(id: string, thing: 'instance' | 'binding'): string {
  if (isId(id)) return id;
  throw new Refusal('not-found', `There is no service ${thing} with this id.`);
}
