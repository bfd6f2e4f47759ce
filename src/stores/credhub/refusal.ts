import { Failure } from '../../broker/errors.ts';
import type { CredhubAnswer } from './send.ts';

/** Statuses of which another try may come to something else. */
const passing = [408, 429];

/**
 * Lets the answers pass that say that it was done.
 * @throws Failure when it was refused, and an Error when whoever was asked could not do it now
 */
export function requireDone(who: string, asked: string, { status, body }: CredhubAnswer): void {
  if (status >= 200 && status < 300) return;
  const { error } = body;
  const why = typeof error === 'string' ? `: ${error.slice(0, 300)}` : '';
  const detail = `${who} answered ${asked} with status ${status}${why}`;
  if (status >= 500 || passing.includes(status)) throw new Error(detail);
  throw new Failure(
    'credentials',
    'The credentials could not be kept where the platform reads them. Ask the operator of the broker.',
    { detail },
  );
}
