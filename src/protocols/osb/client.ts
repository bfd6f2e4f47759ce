import { setTimeout as pause } from 'node:timers/promises';
import type { Json, JsonObject } from '../../broker/json.ts';
import type { Login } from '../protocol.ts';
import { certificateTrouble } from '../refused-certificate.ts';

/** A service broker, ours or any other, as a platform speaks to it. */
export interface OsbClient {
  /** One exchange, whatever is answered. @throws Error with a sentence when there is no answer */
  send(request: OsbRequest): Promise<OsbAnswer>;
  /**
   * The same for what may take its time: asked with `accepts_incomplete=true`, and polled until it has ended.
   * @param onProgress is told what the broker says of it, each time it says something else
   * @returns the last answer: that of the request, or of the poll at which it had ended
   * @throws Error with the broker's sentence when it was refused or has failed
   */
  carryOut(request: OsbRequest, onProgress?: (sentence: string) => void): Promise<OsbAnswer>;
  /** The same for what only reads. */
  read(path: string, query?: OsbRequest['query']): Promise<OsbAnswer>;
}

export interface OsbRequest {
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'DELETE';
  /** Without the broker's own, e.g. `/v2/catalog`. */
  readonly path: string;
  /** What is undefined is left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: object;
}

export interface OsbAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Empty when the answer was no JSON object. */
  readonly body: JsonObject;
}

/** What is needed to speak to one. */
export interface OsbAccess {
  /** Its address, with a path if it has one, without a slash at the end. */
  readonly address: string;
  readonly login: Login;
  /** Its words for itself in errors, e.g. `The broker at https://...`. */
  readonly name: string;
}

const apiVersion = '2.17';

/** Speaks to the broker at this address. */
export function osbClient({ address, login, name }: OsbAccess): OsbClient {
  const authorization = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;

  async function send({ method, path, query = {}, body }: OsbRequest): Promise<OsbAnswer> {
    const url = `${address}${path}${queryText(query)}`;
    const headers = {
      authorization,
      'x-broker-api-version': apiVersion,
      'content-type': 'application/json',
    };
    const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) }).catch(
      (error: unknown) => {
        const { code = 'no answer' } = ((error as Error).cause ?? {}) as { code?: string };
        const distrust = certificateTrouble(code, 'PUBLIC_URL');
        const sentence =
          distrust === undefined ? `cannot be reached (${code})` : `cannot be trusted: ${distrust}`;
        throw new Error(`${name} ${sentence}.`, { cause: error });
      },
    );
    return { status: response.status, headers: response.headers, body: objectIn(await response.text()) };
  }

  async function carryOut(request: OsbRequest, onProgress?: (sentence: string) => void): Promise<OsbAnswer> {
    const { path, query, body } = request;
    const asked = await send({ ...request, query: { ...query, accepts_incomplete: 'true' } });
    const answer = requireGood(name, asked);
    if (answer.status !== 202) return answer;
    const { service_id, plan_id } = { ...query, ...body } as Readonly<Record<string, string | undefined>>;
    const operation = answer.body['operation'] as string | undefined;
    return poll(`${path}/last_operation`, { service_id, plan_id, operation }, onProgress);
  }

  async function poll(
    path: string,
    query: OsbRequest['query'],
    onProgress?: (sentence: string) => void,
  ): Promise<OsbAnswer> {
    for (let told = ''; ;) {
      const answer = await send({ method: 'GET', path, query });
      // What was deleted may be gone by now.
      if (answer.status === 410) return answer;
      const { state, description } = requireGood(name, answer).body;
      if (state === 'failed') throw new Error(sentenceIn(answer) ?? `${name} says that it has failed.`);
      if (state !== 'in progress') return answer;
      if (typeof description === 'string' && description !== told) onProgress?.((told = description));
      await pause(pauseAsked(answer));
    }
  }

  return {
    send,
    carryOut,
    read: async (path, query) => requireGood(name, await send({ method: 'GET', path, query })),
  };
}

/** Milliseconds; platforms are asked to wait at least a second, and what people wait for is asked every few. */
function pauseAsked({ headers }: OsbAnswer): number {
  const seconds = Number(headers.get('retry-after') ?? 1);
  return Math.min(Math.max(Number.isFinite(seconds) ? seconds : 1, 0.5), 10) * 1000;
}

function requireGood(name: string, answer: OsbAnswer): OsbAnswer {
  const { status } = answer;
  if (status < 300 || status === 410) return answer;
  if (status === 401) throw new Error(`${name} does not know this user name and password.`);
  throw new Error(sentenceIn(answer) ?? `${name} answered with status ${status}.`);
}

function sentenceIn({ body: { description } }: OsbAnswer): string | undefined {
  return typeof description === 'string' && description !== '' ? description : undefined;
}

function objectIn(text: string): JsonObject {
  try {
    const value = JSON.parse(text) as Json;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
  } catch {
    return {};
  }
}

function queryText(query: NonNullable<OsbRequest['query']>): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, value);
  return given.size === 0 ? '' : `?${given.toString()}`;
}
