import { readFileSync } from 'node:fs';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { rootCertificates } from 'node:tls';
import { isObject, type Json, type JsonObject } from '../../broker/json.ts';
import { codeOf } from '../../system/error-code.ts';

/** Files that say whom to trust, and who asks. All are read at each request: platforms renew them within hours. */
export interface CredhubFiles {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

export interface CredhubRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface CredhubAnswer {
  readonly status: number;
  /** Empty, where it is no object. */
  readonly body: JsonObject;
}

/** Milliseconds until all of an answer must be there. */
const answerLimit = 10_000;
/** Bytes of an answer; names of all that lies there are the longest. */
const longest = 32 * 1024 * 1024;

/** @throws Error with a sentence, without anything that was sent, when there is no answer */
export async function sendTo(
  { ca, cert, key }: CredhubFiles,
  { method, url, headers = {}, body, signal }: CredhubRequest,
): Promise<CredhubAnswer> {
  const tls = {
    ...(ca !== undefined && { ca: [...rootCertificates, readFileSync(ca, 'utf8')] }),
    ...(cert !== undefined && key !== undefined && { cert: readFileSync(cert), key: readFileSync(key) }),
  };
  const limit = AbortSignal.timeout(answerLimit);
  try {
    return await answerTo(url, body, {
      method,
      headers: { accept: 'application/json', ...headers },
      agent: false,
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      ...tls,
    });
  } catch (error) {
    const why = limit.aborted ? `no answer within ${answerLimit / 1000} s` : codeOf(error) || String(error);
    throw new Error(`${url.host} could not be asked: ${why}.`, { cause: error });
  }
}

function answerTo(url: URL, body: string | undefined, options: RequestOptions): Promise<CredhubAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<CredhubAnswer>();
  const request = httpsRequest(url, options, (response) => {
    const parts: Buffer[] = [];
    let size = 0;
    response.on('data', (part: Buffer) => {
      size += part.length;
      if (size > longest) response.destroy(new Error('the answer is too long'));
      else parts.push(part);
    });
    response.on('error', reject);
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, body: objectIn(Buffer.concat(parts).toString()) }),
    );
  });
  request.on('error', reject);
  request.end(body);
  return promise;
}

function objectIn(text: string): JsonObject {
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}
