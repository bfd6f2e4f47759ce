import { Refusal } from '../../broker/errors.ts';
import type { Outcome } from '../../broker/outcome.ts';
import type { Reply } from '../protocol.ts';
import { acceptedReply } from './responses.ts';
import type { ActionAnswer } from './wire/operations.ts';

export function ok<Answer extends object>(body: Answer): Reply {
  return { status: 200, body };
}

export function acted(outcome: Outcome<unknown>): Reply {
  if (outcome.is === 'absent') throw new Refusal('not-found', 'There is no service instance with this id.');
  return outcome.is === 'accepted'
    ? { status: 202, body: acceptedReply(outcome.operation) }
    : ok<ActionAnswer>({});
}
