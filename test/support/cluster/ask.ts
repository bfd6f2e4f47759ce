import { Agent, request } from 'node:https';
import { isObject, type JsonObject } from '../../../src/broker/json.ts';

/** Asks an API server by other means than the client under test. */
export type Ask = (
  method: string,
  path: string,
  body?: object,
  type?: string,
) => Promise<{ readonly status: number; readonly body: JsonObject }>;

export function createAsk(port: number, ca: string, token: string): { ask: Ask; close: () => void } {
  const agent = new Agent({ keepAlive: true, ca });
  const ask: Ask = async (method, path, body, type = 'application/json') => {
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<ReturnType<Ask>>>();
    const text = body === undefined ? '' : JSON.stringify(body);
    // Node itself writes no length with a DELETE.
    const length = Buffer.byteLength(text);
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': type, 'Content-Length': length };
    const made = request({ host: '127.0.0.1', port, method, path, headers, agent, timeout: 30_000 });
    made.on('timeout', () => made.destroy(new Error('no answer')));
    made.on('error', reject);
    made.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: objectIn(Buffer.concat(chunks).toString()) }),
      );
    });
    made.end(text);
    return promise;
  };
  return { ask, close: () => agent.destroy() };
}

function objectIn(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : { text };
  } catch {
    return { text };
  }
}
