import { type IncomingMessage, request } from 'node:http';
import { Failure } from '../../../broker/errors.ts';
import { codeOf } from '../../../system/error-code.ts';
import { isObject, type Json, type JsonObject } from '../../../broker/json.ts';

/** The Docker API of an engine on this machine, as far as instances need it (decision 87). */
export interface ContainerEngine {
  /**
   * Asks once. Without a version in the path, so that each engine speaks its own newest.
   * @throws Error when the engine cannot be reached, or not within the limit
   */
  ask(method: 'GET' | 'POST' | 'DELETE', path: string, asking?: Asking): Promise<EngineAnswer>;
}

interface Asking {
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds until the answer must be whole; a minute when absent. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Bytes that are read of an answer; what comes after them ends it. */
  readonly maxBytes?: number;
  /** Takes the answer piece by piece, where it succeeds; nothing of it is kept then. */
  readonly onChunk?: (chunk: Buffer) => void;
}

export interface EngineAnswer {
  readonly status: number;
  readonly bytes: Buffer;
  /** There was more than was read. */
  readonly isCut: boolean;
}

/** The engine has answered that it does not do it. */
export class EngineRefusal extends Error {
  readonly status: number;

  constructor({ status, bytes }: EngineAnswer) {
    const { message } = objectIn(bytes);
    super(typeof message === 'string' ? message.trim().slice(0, 1000) : `the engine answers ${status}`);
    this.name = 'EngineRefusal';
    this.status = status;
  }
}

/** @param socket the path of its unix socket */
export function containerEngine(socket: string): ContainerEngine {
  return {
    async ask(method, path, asking = {}) {
      const {
        query = {},
        body,
        headers = {},
        limit = 60_000,
        signal,
        maxBytes = 8_000_000,
        onChunk,
      } = asking;
      signal?.throwIfAborted();
      const signals = [AbortSignal.timeout(Math.ceil(limit)), ...(signal ? [signal] : [])];
      const words = new URLSearchParams(query).toString();
      const text = body && JSON.stringify(body);
      try {
        return await send(
          {
            socketPath: socket,
            method,
            path: words === '' ? path : `${path}?${words}`,
            headers: text === undefined ? headers : { ...headers, 'Content-Type': 'application/json' },
            agent: false,
            signal: AbortSignal.any(signals),
          },
          { text, maxBytes, onChunk },
        );
      } catch (error) {
        signal?.throwIfAborted();
        const code = codeOf(error);
        const why = code === '' || code === 'ABORT_ERR' ? '' : ` (${code})`;
        throw new Error(`The container engine at ${socket} does not answer${why}.`, { cause: error });
      }
    },
  };
}

/** Of a node without one: nothing is placed there, and what was is told why nothing can be done with it. */
export const noContainerEngine: ContainerEngine = {
  async ask() {
    throw new Failure('no-engine', 'The service cannot be run here. Ask the operator of the broker.', {
      detail: 'This node has no container engine: NODE_CONTAINERS is not set.',
    });
  },
};

/** @throws EngineRefusal unless the status is one of these, or a success */
export function requireAnswer(answer: EngineAnswer, ...others: readonly number[]): EngineAnswer {
  if (answer.status < 300 || others.includes(answer.status)) return answer;
  throw new EngineRefusal(answer);
}

/** What the engine says of one thing; undefined when there is none. */
export async function findByName(
  engine: ContainerEngine,
  path: string,
  asking?: Asking,
): Promise<JsonObject | undefined> {
  const answer = requireAnswer(await engine.ask('GET', path, asking), 404);
  return answer.status === 404 ? undefined : objectIn(answer.bytes);
}

export function objectIn(bytes: Buffer): JsonObject {
  const value = jsonIn(bytes);
  return isObject(value) ? value : {};
}

export function listIn(bytes: Buffer): readonly JsonObject[] {
  const value = jsonIn(bytes);
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** What is no text is an empty one. */
export function textIn(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

function jsonIn(bytes: Buffer): Json | undefined {
  try {
    return JSON.parse(bytes.toString()) as Json;
  } catch {
    return undefined;
  }
}

function send(
  options: Parameters<typeof request>[1],
  { text, maxBytes, onChunk }: { text: string | undefined; maxBytes: number; onChunk: Asking['onChunk'] },
): Promise<EngineAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request(options as object, (response: IncomingMessage) => {
      const chunks: Buffer[] = [];
      let size = 0;
      const end = (isCut: boolean) =>
        resolve({ status: response.statusCode ?? 0, bytes: Buffer.concat(chunks), isCut });
      const isTaken = onChunk !== undefined && (response.statusCode ?? 0) < 300;
      response.on('data', (chunk: Buffer) => {
        if (isTaken) return onChunk(chunk);
        chunks.push(chunk.subarray(0, maxBytes - size));
        size += chunk.length;
        if (size <= maxBytes) return;
        end(true);
        asked.destroy();
      });
      response.on('end', () => end(false));
      response.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(text);
  });
}
