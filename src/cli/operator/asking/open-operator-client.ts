import { join } from 'node:path';
import { readOperatorAccess } from '../../../config/access.ts';
import { operatorPasswordFile } from '../../../program/opening/secrets.ts';
import { trustAuthorities } from '../../../program/tls/trust.ts';
import { operatorClient, type OperatorClient } from '../../../protocols/operator/client.ts';
import type { Unanswered } from '../../../protocols/operator/exchange.ts';
import { certificateTrouble } from '../../../protocols/refused-certificate.ts';
import type { ErrorAnswer } from '../../../protocols/operator/wire/broker.ts';
import { addressOf, passwordOf } from '../../address-of-here.ts';

/** The work of `operatorOfHere`. */
export function openOperatorClient(): OperatorClient {
  const access = readOperatorAccess();
  trustAuthorities(access);
  const password = passwordOf(access.operatorPassword, {
    whose: 'operator',
    variable: 'OPERATOR_PASSWORD',
    file: join(access.dataDir, operatorPasswordFile),
  });
  const login = { username: access.operatorUsername, password };
  return operatorClient({ address: addressOf(access), login, errorOf });
}

function errorOf(unanswered: Unanswered): Error {
  const cause = 'cause' in unanswered ? unanswered.cause : undefined;
  return new Error(sentenceOf(unanswered), { cause });
}

function sentenceOf(unanswered: Unanswered): string {
  switch (unanswered.is) {
    case 'unreachable':
      return distrusted(unanswered.code) ?? unreachable(unanswered.code ?? 'no answer');
    case 'late':
      return unreachable('no answer in time');
    case 'unreadable':
      return 'What answers there is no broker.';
    case 'refused':
      return refusal(unanswered.status, unanswered.answer);
  }
}

function distrusted(code: string | undefined): string | undefined {
  const distrust = certificateTrouble(code, 'PUBLIC_URL');
  return distrust && `The broker cannot be trusted: ${distrust}.`;
}

function unreachable(reason: string): string {
  const where = 'PUBLIC_URL, or else HOST and PORT, say';
  return `The broker cannot be reached where ${where} (${reason}). Does it run there?`;
}

/** The broker's own sentence, where it has given one. */
function refusal(status: number, { description, detail }: Partial<ErrorAnswer> = {}): string {
  if (status === 401)
    return `The broker does not know this operator: look at OPERATOR_USERNAME and OPERATOR_PASSWORD.`;
  if (description === undefined) return `The broker answered with status ${status}.`;
  return detail === undefined ? description : `${description} ${detail}`;
}
