import type { Login } from '../protocol.ts';
import type { ErrorAnswer } from './wire/broker.ts';

/** Where the operator API is, and how it is to be spoken to. */
export interface Reach {
  /** `http://host:port`, with whatever path stands before that of the API. */
  readonly address: string;
  readonly login: Login;
  /** Milliseconds for a request and its answer; absent: it waits as long as the connection holds. */
  readonly limit?: number | undefined;
  /** May an answer send the request elsewhere? */
  readonly redirect?: 'follow' | 'error';
}

export interface Question {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly path: string;
  /** What is undefined is left out. */
  readonly query?: OperatorQuery;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: object | undefined;
}

export type OperatorQuery = Readonly<Record<string, string | undefined>>;

/** Why there is no answer to a question. */
export type Unanswered =
  /** `code` is that of the system, where it has one. */
  | { readonly is: 'unreachable'; readonly code?: string | undefined; readonly cause: unknown }
  | { readonly is: 'late'; readonly cause: unknown }
  /** What answers is no broker. */
  | { readonly is: 'unreadable' }
  /** `answer` where it is one of a broker. */
  | { readonly is: 'refused'; readonly status: number; readonly answer?: Partial<ErrorAnswer> | undefined };

/**
 * Asks the operator API of a broker, and reads what it answers.
 * @param errorOf what is thrown when there is no answer
 */
export async function exchange<Answer>(
  reach: Reach,
  question: Question,
  errorOf: (unanswered: Unanswered) => Error,
): Promise<Answer> {
  const answer = await send(reach, question, errorOf);
  if (!answer.ok) throw errorOf({ is: 'refused', status: answer.status, answer: errorIn(answer.text) });
  const body = objectIn(answer.text);
  if (!body) throw errorOf({ is: 'unreadable' });
  return body as Answer;
}

async function send(
  { address, login, limit, redirect = 'follow' }: Reach,
  { method, path, query = {}, headers, body }: Question,
  errorOf: (unanswered: Unanswered) => Error,
): Promise<{ readonly ok: boolean; readonly status: number; readonly text: string }> {
  const basic = Buffer.from(`${login.username}:${login.password}`).toString('base64');
  try {
    const answer = await fetch(`${address}${path}${queryText(query)}`, {
      method,
      headers: { ...headers, authorization: `Basic ${basic}`, 'content-type': 'application/json' },
      redirect,
      signal: limit === undefined ? null : AbortSignal.timeout(limit),
      body: body && JSON.stringify(body),
    });
    return { ok: answer.ok, status: answer.status, text: await answer.text() };
  } catch (error) {
    const { name, cause } = error as { name?: string; cause?: { code?: string } };
    throw errorOf(
      name === 'TimeoutError'
        ? { is: 'late', cause: error }
        : { is: 'unreachable', code: cause?.code, cause: error },
    );
  }
}

function queryText(query: OperatorQuery): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, value);
  return given.size === 0 ? '' : `?${given.toString()}`;
}

/** What is no text in it is left out. */
function errorIn(text: string): Partial<ErrorAnswer> | undefined {
  const body = objectIn(text);
  return body && Object.fromEntries(Object.entries(body).filter(([, value]) => typeof value === 'string'));
}

function objectIn(text: string): object | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
