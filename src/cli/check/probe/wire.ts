import { Agent as HttpAgent, request as requestPlain, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as requestSecure } from 'node:https';
import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';
import type { Login } from '../../../protocols/protocol.ts';
import { codeOf } from '../../../system/error-code.ts';
import { certificateTrouble } from '../../../protocols/refused-certificate.ts';

/** A request as it is to be sent; what a platform always sends is added. */
export interface WireRequest {
  readonly method: string;
  /** Behind the broker's address, encoded: `/v2/catalog`. */
  readonly path: string;
  /** What is undefined is left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  /** Behind the query, as it is: `a=1&a=2`. */
  readonly rawQuery?: string;
  /** Over those of a platform; undefined leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** The word before the right login, in place of `Basic`. */
  readonly scheme?: string;
  /** Sent as JSON. */
  readonly body?: Json | undefined;
  /** Sent as it is, in place of a body. */
  readonly text?: string | Uint8Array | undefined;
}

export interface WireAnswer {
  readonly status: number;
  /** By lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** What the text says; undefined when it is no JSON. */
  readonly json: Json | undefined;
  /** Empty when it is no JSON object. */
  readonly body: JsonObject;
  /** How long it took, in milliseconds. */
  readonly ms: number;
}

/** How a broker is spoken to: bare requests, so that also a wrong one can be sent and no answer is tidied up. */
export interface Wire {
  /** @throws NoAnswer when nothing that is an answer comes in time */
  send(request: WireRequest): Promise<WireAnswer>;
  close(): void;
}

/** Nothing came that is an answer. */
export class NoAnswer extends Error {}

export interface WireOptions {
  /** Without a slash at its end. */
  readonly address: string;
  readonly login: Login;
  /** E.g. `2.17`. */
  readonly apiVersion: string;
  /** Milliseconds that one answer may take. */
  readonly answerWithin: number;
}

/** Bytes of an answer that are read; a catalog may be large. */
const longestAnswer = 16 * 1024 * 1024;

export function openWire({ address, login, apiVersion, answerWithin }: WireOptions): Wire {
  const secure = address.startsWith('https:');
  const agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  const encodedLogin = Buffer.from(`${login.username}:${login.password}`).toString('base64');

  const { pathname } = new URL(address);
  const base = pathname.replace(/\/$/, '');

  function send(asked: WireRequest, again = true): Promise<WireAnswer> {
    const content = contentOf(asked);
    const headers = headersOf({
      accept: 'application/json',
      authorization: `${asked.scheme ?? 'Basic'} ${encodedLogin}`,
      'x-broker-api-version': apiVersion,
      'content-type': content === undefined ? undefined : 'application/json',
      'content-length': content === undefined ? undefined : String(content.length),
      ...asked.headers,
    });
    const began = performance.now();
    return new Promise((resolve, reject) => {
      const lost = (error: Error) => reject(new NoAnswer(sentenceOf(error), { cause: error }));
      const late = setTimeout(
        () => sent.destroy(new Error(`no answer within ${answerWithin / 1000} s`)),
        answerWithin,
      );
      // As it is: an address as an object would fold dots in it.
      const path = `${base}${requestTarget(asked)}`;
      const ask = secure ? requestSecure : requestPlain;
      const sent = ask(new URL(address), { path, method: asked.method, headers, agent }, (message) => {
        readAnswer(message, began)
          .finally(() => clearTimeout(late))
          .then(resolve, lost);
      });
      sent.on('error', (error) => {
        clearTimeout(late);
        // The other side may have closed what was kept open, in the moment in which it was used.
        if (again && sent.reusedSocket && codeOf(error) === 'ECONNRESET')
          send(asked, false).then(resolve, reject);
        else lost(error);
      });
      sent.end(content);
    });
  }
  return { send: (asked) => send(asked), close: () => agent.destroy() };
}

async function readAnswer(message: IncomingMessage, began: number): Promise<WireAnswer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > longestAnswer) throw new Error('an answer of more than 16 MB');
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const json = jsonIn(text);
  const headers = Object.entries(message.headers).map(([name, value]) => [name, [value].flat().join(', ')]);
  return {
    status: message.statusCode ?? 0,
    headers: Object.fromEntries(headers) as Record<string, string>,
    text,
    json,
    body: isObject(json) ? json : {},
    ms: Math.round(performance.now() - began),
  };
}

function contentOf({ body, text }: WireRequest): Buffer | undefined {
  if (text !== undefined) return Buffer.from(text as string);
  return body === undefined ? undefined : Buffer.from(JSON.stringify(body));
}

function headersOf(given: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** Path and query as they stand in a request; platforms encode everything that is not unreserved. */
export function requestTarget({ path, query = {}, rawQuery }: WireRequest): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  const all = rawQuery === undefined ? given : [...given, rawQuery];
  return all.length === 0 ? path : `${path}?${all.join('&')}`;
}

/** Undefined when it is no JSON. */
export function jsonIn(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function sentenceOf(error: Error): string {
  const code = codeOf(error);
  if (code === '') return error.message;
  return certificateTrouble(code, 'the command') ?? clauses[code] ?? `the connection has failed (${code})`;
}

const hangsUp = 'the connection was closed without one';

/** Why there is no answer. */
const clauses: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: hangsUp,
  EPIPE: hangsUp,
  ENOTFOUND: 'its host is not known',
  EAI_AGAIN: 'its host is not known',
  EHOSTUNREACH: 'there is no way to its host',
  ENETUNREACH: 'there is no way to its host',
  ETIMEDOUT: 'its host does not answer',
  HPE_INVALID_CONSTANT: 'what came is no HTTP',
};
