import { type ClientRequest, request } from 'node:http';
import { request as requestInTls } from 'node:https';
import { codeOf, isShortage } from '../../../system/error-code.ts';
import { type Address, type Answer, refusal } from './tcp.ts';

export interface WebRule {
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Is it asked in TLS? */
  readonly tls?: boolean;
}

/**
 * Asks for a page; ready when the status is the expected one.
 * @param limit milliseconds until the status must be there
 * @param signal hangs up when it is given up; then the answer is silence
 * @throws the system's error when this machine has no room to ask: that says nothing of the other side
 */
export function askForPage(
  { host, port, ca }: Address,
  { path, status, headers, tls }: WebRule,
  limit: number,
  signal: AbortSignal,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = requestOf({ host, port, ca, path, headers, tls, signal });
    if (!asked)
      return resolve({ is: 'wrong', reason: 'its page has a path or headers that HTTP does not know' });
    const end = (answer: Answer) => {
      clearTimeout(deadline);
      asked.destroy();
      resolve(answer);
    };
    const deadline = setTimeout(
      () => end({ is: 'silent', reason: `it does not answer within ${limit / 1000} s` }),
      limit,
    );
    asked.on('response', ({ statusCode = 0 }) =>
      end(
        statusCode === status
          ? { is: 'ready' }
          : { is: 'wrong', reason: `it answers with status ${statusCode} in place of ${status}` },
      ),
    );
    asked.on('error', (error: NodeJS.ErrnoException) => {
      if (isShortage(error)) reject(error);
      end(
        error.code?.startsWith('HPE_')
          ? { is: 'wrong', reason: 'its answer is no HTTP' }
          : { is: 'silent', reason: refusal(error) },
      );
    });
    asked.end();
  });
}

interface Page extends Address, Pick<WebRule, 'path' | 'headers' | 'tls'> {
  readonly signal: AbortSignal;
}

/** Undefined when it cannot be sent: parameters of users may stand in a path. */
function requestOf({ headers, tls, ca, ...rest }: Page): ClientRequest | undefined {
  try {
    // Without an agent: a connection that is kept would outlive the question.
    const options = { ...rest, headers: { ...headers, connection: 'close' }, agent: false } as const;
    return tls ? requestInTls({ ...options, ca }) : request(options);
  } catch (error) {
    if (['ERR_UNESCAPED_CHARACTERS', 'ERR_INVALID_CHAR', 'ERR_INVALID_HTTP_TOKEN'].includes(codeOf(error)))
      return undefined;
    throw error;
  }
}
