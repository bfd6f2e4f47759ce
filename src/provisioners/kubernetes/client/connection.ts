import { Agent as HttpAgent, type IncomingMessage, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { codeOf } from '../../../system/error-code.ts';
import { createGate } from './gate.ts';
import type { Entry, Login } from './login.ts';

/** One way to an API server, over connections that are kept. */
export interface Connection {
  readonly name: string;
  /**
   * Asks, once more with another credential when the server knows us not (401).
   * @throws Error when there is no answer; the signal's reason when it was given up
   */
  ask(asked: Asked, signal: AbortSignal): Promise<Answer>;
  /** For what is no request of one answer. */
  readonly login: Login;
  close(): void;
}

export interface Asked {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** Members that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: { readonly type: string; readonly text: string };
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** The header of this name. */
  readonly retryAfter: string | undefined;
  /** Of the credential that was used: they must be in no message. */
  readonly secrets: readonly string[];
}

const requestsAtOnce = 10;
const timeLimitMs = 60_000;
const longestAnswer = 64 * 1024 * 1024;

export function createConnection(name: string, login: Login): Connection {
  const gate = createGate(requestsAtOnce);
  const agents = createAgents();

  async function once(entry: Entry, asked: Asked, signal: AbortSignal): Promise<Answer> {
    const sent = { entry, asked, agent: agents.of(entry) };
    const limited = AbortSignal.any([signal, AbortSignal.timeout(timeLimitMs)]);
    try {
      return await send(sent, limited).catch((error: unknown) => {
        // The server has closed a connection while nobody used it; all that is asked may be asked again.
        if (error instanceof StaleConnection) return send(sent, limited);
        throw error;
      });
    } catch (error) {
      signal.throwIfAborted();
      throw noAnswer(name, limited.aborted ? `within ${timeLimitMs / 1000} s` : codeOf(error));
    }
  }
  return {
    name,
    login,
    ask: (asked, signal) =>
      gate.pass(signal, async () => {
        const entry = await login.current();
        const answer = await once(entry, asked, signal);
        return answer.status === 401 ? once(await login.renewed(entry), asked, signal) : answer;
      }),
    close: () => agents.close(),
  };
}

/** @param why a code or a few words; nothing of what was sent or received */
export function noAnswer(name: string, why: string): Error {
  return new Error(`The cluster ${name} does not answer${why === '' ? '' : ` (${why})`}.`);
}

/** One for each way of proving who is who: connections are not shared by two. */
function createAgents() {
  const kept = { keepAlive: true, keepAliveMsecs: 15_000, maxFreeSockets: requestsAtOnce, timeout: 90_000 };
  let last: { readonly of: string; readonly agent: HttpAgent } | undefined;
  return {
    of({ server, tls }: Entry): HttpAgent {
      const of = JSON.stringify([server, tls]);
      if (last?.of !== of) {
        // What is under way over the connections of the one before goes on; unused ones end by themselves.
        last = {
          of,
          agent: server.startsWith('https:') ? new HttpsAgent({ ...kept, ...tls }) : new HttpAgent(kept),
        };
      }
      return last.agent;
    },
    close: () => last?.agent.destroy(),
  };
}

class StaleConnection extends Error {}

interface Sent {
  readonly entry: Entry;
  readonly asked: Asked;
  readonly agent: HttpAgent;
}

async function send({ entry, asked, agent }: Sent, signal: AbortSignal): Promise<Answer> {
  const { method, body } = asked;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const url = urlAt(entry, asked.path, asked.query);
  const make = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const headers = {
    Accept: 'application/json',
    ...entry.headers,
    ...(body && { 'Content-Type': body.type, 'Content-Length': Buffer.byteLength(body.text) }),
  };
  const made = make(url, { method, agent, headers, signal });
  made.on('response', resolve);
  made.on('error', (error) => {
    const isStale = made.reusedSocket && ['ECONNRESET', 'EPIPE'].includes(codeOf(error));
    reject(isStale ? new StaleConnection() : error);
  });
  made.end(body?.text);
  const response = await promise;
  return {
    status: response.statusCode ?? 0,
    text: await textOf(response),
    retryAfter: response.headers['retry-after'],
    secrets: entry.secrets,
  };
}

/** The address of a path at a server, whose own address may have a path, too. */
export function urlAt({ server }: Entry, path: string, query: Asked['query'] = {}): URL {
  const url = new URL(`${server}${path}`);
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) url.searchParams.append(name, value);
  return url;
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > longestAnswer) {
      response.destroy();
      throw Object.assign(new Error('too long'), { code: 'an answer that is too long' });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
