import { createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { codeOf } from '../../system/error-code.ts';
import type { Receiver } from './read.ts';

/** What is told, under an id that stays the same however often it is tried. */
export interface Message {
  readonly id: string;
  readonly body: string;
}

/** As www.standardwebhooks.com has it. @param seconds since 1970 */
export function signatureHeaders(
  { secrets }: Pick<Receiver, 'secrets'>,
  { id, body }: Message,
  seconds: number,
): Readonly<Record<string, string>> {
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': String(seconds),
    'webhook-signature': signatures.join(' '),
  };
}

/** Milliseconds until the status must be there; what follows it is not read. */
const answerLimit = 10_000;

/**
 * Tells it once.
 * @throws Error with a sentence why it was not taken; a redirect is no taking
 */
export async function send(receiver: Receiver, message: Message): Promise<void> {
  const headers = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(message.body)),
    'user-agent': 'purveyor',
    ...signatureHeaders(receiver, message, Math.floor(Date.now() / 1000)),
  };
  const status = await statusOf(receiver, headers, message.body);
  if (status < 200 || status > 299) throw new Error(`It answered with status ${status}.`);
}

function statusOf(
  { url, ca }: Receiver,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const signal = AbortSignal.timeout(answerLimit);
  // A connection for each: one that hangs keeps no other message waiting.
  const options = { method: 'POST', headers, signal, agent: false, ...(ca !== undefined && { ca }) };
  const request = url.protocol === 'https:' ? httpsRequest(url, options) : httpRequest(url, options);
  request.on('response', (response) => {
    resolve(response.statusCode ?? 0);
    response.on('error', () => undefined).destroy();
  });
  request.on('error', (error) => {
    const why = signal.aborted
      ? `no answer within ${answerLimit / 1000} s`
      : (codeOf(error) ?? error.message);
    reject(new Error(`It could not be told: ${why}.`, { cause: error }));
  });
  request.end(body);
  return promise;
}
