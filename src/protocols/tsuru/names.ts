import { idOfPlatform } from '../../broker/key.ts';
import { Refusal } from '../../broker/errors.ts';
import type { Call } from '../protocol.ts';
import { isText } from './texts.ts';

// tsuru's own rule.
const nameForm = /^[A-Za-z][-A-Za-z0-9_]+$/;
const longestId = 255;

/** Names that would make addresses mean two things: `/resources/plans` lists the plans. */
const taken: ReadonlySet<string> = new Set(['plans']);

/** The offering that the call is about: its name is part of every path. */
export function offeringIn({ params }: Pick<Call, 'params'>): string {
  return params['offering'] ?? '';
}

/**
 * The instance of the path. Its id names offering and instance, since tsuru's names are unique within an offering;
 * names have no periods, so no two of them give the same id. Undefined: no instance can have this name.
 */
export function findInstanceId(call: Pick<Call, 'params' | 'platform'>): string | undefined {
  const name = call.params['name'] ?? '';
  const offering = offeringIn(call);
  const isName = nameForm.test(name) && !taken.has(name) && isText(offering);
  const id = idOf(offering, name);
  return isName && id.length <= longestId ? idOfPlatform(call.platform, id) : undefined;
}

/** For a new instance: refuses with invalid. */
export function requireInstanceId(call: Pick<Call, 'params' | 'platform'>, name: string | undefined): string {
  if (name === undefined) throw new Refusal('invalid', 'The name of the instance is missing.', 'name');
  if (taken.has(name)) throw new Refusal('invalid', `An instance cannot be called '${name}'.`, 'name');
  if (!nameForm.test(name)) {
    throw new Refusal(
      'invalid',
      'The name of an instance must have two or more letters, digits, dashes and underscores, a letter first.',
      'name',
    );
  }
  const id = idOf(offeringIn(call), name);
  if (id.length > longestId) throw new Refusal('invalid', 'The name of the instance is too long.', 'name');
  return idOfPlatform(call.platform, id);
}

function idOf(offering: string, name: string): string {
  return `tsuru.${offering}.${name}`;
}
