import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../system/error-code.ts';

/** What an error of the database means: is it away, and has the statement been carried out? */

/**
 * Says that the database cannot be reached, or not used now: it is no mistake of ours, and passes. What the server
 * says of our SQL, and what is wrong in this program, is none of it.
 */
export function isAway(error: unknown): boolean {
  const code = codeOf(error);
  return awayStates.test(code) || awayCodes.test(code) || awayWords.test(messageOf(error));
}

/**
 * Says for certain that the statement (or the transaction it stood in) has changed nothing: another session may do it
 * at once. A session that is ended from outside answers so only to what it had not committed; a connection that
 * breaks without a word leaves it open.
 */
export function isUndone(error: unknown): boolean {
  return undoneStates.test(codeOf(error)) || neverSent.test(messageOf(error));
}

/** Says that the session is gone, so that all is gone that it had not committed. */
export function isSessionLost(error: unknown): boolean {
  return isUndone(error) || brokenCodes.test(codeOf(error)) || brokenWords.test(messageOf(error));
}

/** Why the database cannot be used, as a clause: without the names and addresses that the error itself may hold. */
export function databaseReason(error: unknown): string {
  const code = codeOf(error);
  const message = messageOf(error);
  if (code === '') return pgWords.test(message) ? message.replace(/\.$/, '') : 'it cannot be reached';
  const [, reason] = reasons.find(([which]) => which.test(code)) ?? [];
  if (reason !== undefined) return `${reason} (${code})`;
  return isState.test(code) ? `it says: ${message} (${code})` : `it cannot be reached (${code})`;
}

const isState = /^[0-9A-Z]{5}$/;
const reasons: readonly (readonly [code: RegExp, reason: string])[] = [
  [/^28...$/, 'it refuses the login'],
  [/^3D000$/, 'it has no database of this name'],
  [/^53300$/, 'all its connections are in use'],
  [/^53...$/, 'it has no room'],
  [/^(40P01|40001|55P03|57014)$/, 'too much is going on in it'],
  [/^57P0[12]$/, 'it is shutting down'],
  [/^57P03$/, 'it is starting, or takes no connections'],
  [/^55000$/, 'it takes no connections'],
  [/^ECONNREFUSED$/, 'nobody listens at its address'],
  [/^(ENOTFOUND|EAI_AGAIN)$/, 'its host is not known'],
  [/CERT|TLS|SSL|SIGNATURE|ISSUER/, 'its certificate, or ours, is not accepted'],
];

/** What pg says of itself has no values in it. */
const pgWords =
  /^(Connection terminated|timeout expired|timeout exceeded|Query read timeout|Client |The server does not support SSL|There was an error establishing an SSL connection)/;

/** In a row, before the failure is the answer. */
const mostTries = 5;

/** Does it again, at once or nearly so, as long as it has failed without having changed anything. */
export async function untilDone<Result>(work: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!isUndone(error) || attempt === mostTries) throw error;
      await stepAside(error, attempt);
    }
  }
}

/**
 * Before another try: those who were in each other's way are so again when all of them come back at once.
 * @param attempt the one that failed, 1 being the first
 */
export async function stepAside(error: unknown, attempt: number): Promise<void> {
  if (inTheWay.test(codeOf(error))) await sleep(Math.random() * asideTime * 2 ** attempt);
}

/** Milliseconds, doubled with each try. */
const asideTime = 10;

// Class 08, the server out of room or of connections, going down, coming up, ending sessions (also one that was idle
// in a transaction for too long), read-only as after a failover, or closed to us (55000). And one in which others are
// in our way, or that takes longer than it allows itself: it may be otherwise in a moment.
const awayStates = /^(08...|53...|57P0[1-5]|25P03|25006|55000|40P01|40001|55P03|57014)$/;
const awayCodes =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|ENOTFOUND|EAI_AGAIN|ENOENT|EMFILE|ENFILE|ENOBUFS|ENOMEM|EAGAIN|EADDRNOTAVAIL)$/;
// pg gives these no code.
const neverSent = /^Client (was closed|has encountered a connection error) and is not queryable/;
// Not that it gave no answer in time: it may do so again.
const brokenWords = /^Connection terminated/;
const awayWords =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Query read timeout|Client (was closed|has encountered a connection error) and is not queryable)/;

// A deadlock, a serialization failure, a session that was ended by an administrator or for having been idle.
const undoneStates = /^(40P01|40001|57P01|57P05|25P03)$/;
const inTheWay = /^(40P01|40001)$/;
const brokenCodes = /^(ECONNRESET|EPIPE|57P02)$/;

function messageOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const value: unknown = Reflect.get(error, 'message');
  return typeof value === 'string' ? value : '';
}
