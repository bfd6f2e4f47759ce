import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import { Refusal } from '../../broker/errors.ts';
import { adoptBody, askedBody } from './wire/actions.ts';
import { authorityBody } from './wire/authorities.ts';
import { restoreBody } from './wire/backups.ts';
import { linkBody } from './wire/dashboards.ts';
import { schemaOf, type Shape } from './wire/shape.ts';
import { upgradesBody } from './wire/upgrades.ts';
import { retryWebhooksBody } from './wire/webhooks.ts';
import { actionBody, emptyBody, execBody, orphanBody } from './wire/units.ts';

// What is wrong in ours is found when code is made of them; the rules for schemas would be made into code first.
const ajv = new Ajv({ ownProperties: true, meta: false, validateSchema: false });
ajv.addFormat('text', (text: string) => text.isWellFormed() && !text.includes('\0'));

export const requireAdoptBody = check(adoptBody);
export const requireAskedBody = check(askedBody);
export const requireActionBody = check(actionBody);
export const requireNoBody = check(emptyBody);
export const requireExecBody = check(execBody);
export const requireOrphanBody = check(orphanBody);
export const requireUpgradesBody = check(upgradesBody);
export const requireRetryWebhooksBody = check(retryWebhooksBody);
export const requireRestoreBody = check(restoreBody);
export const requireLinkBody = check(linkBody);
export const requireAuthorityBody = check(authorityBody);

/** Gives a check that returns the body, or refuses it with a sentence that names the first wrong field. */
function check<Body>(shape: Shape<Body>): (sent: unknown) => Body {
  let isBody: ValidateFunction<Body> | undefined;
  return function requireBody(sent) {
    // Operators ask for one thing or the other, and most brokers are started for none of them.
    isBody ??= ajv.compile<Body>(schemaOf(shape));
    if (isBody(sent)) return sent;
    throw refusalOf(isBody.errors?.[0]);
  };
}

function refusalOf(error: ErrorObject | undefined): Refusal {
  const { missingProperty, additionalProperty } = (error?.params ?? {}) as Record<string, unknown>;
  const last = [missingProperty, additionalProperty].filter((name) => typeof name === 'string');
  const field = [...(error?.instancePath.split('/').slice(1) ?? []), ...last].join('.').slice(0, 100);
  const subject = field === '' ? 'The request body' : field;
  return new Refusal('invalid', `${subject} ${complaint(error)}.`, field === '' ? undefined : field);
}

const types: Readonly<Record<string, string>> = {
  object: 'a JSON object',
  array: 'a list',
  string: 'a string',
  integer: 'a whole number',
  boolean: 'true or false',
};

function complaint(error: ErrorObject | undefined): string {
  const { type, limit } = (error?.params ?? {}) as { type?: string; limit?: number };
  switch (error?.keyword) {
    case 'required':
      return 'is missing';
    case 'additionalProperties':
      return 'is not known here';
    case 'type':
      return `must be ${types[type ?? ''] ?? type}`;
    case 'minLength':
    case 'minItems':
      return 'must not be empty';
    case 'maxLength':
    case 'maxItems':
      return `must not have more than ${limit} ${error.keyword === 'maxItems' ? 'entries' : 'characters'}`;
    case 'minimum':
      return `must be at least ${limit}`;
    case 'maximum':
      return `must be at most ${limit}`;
    default:
      return 'holds a character that cannot be kept';
  }
}
