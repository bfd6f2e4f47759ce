import type { Login } from '../protocol.ts';

export interface OperatorClient {
  /** Gives the answer's body. @throws Error with a sentence, of the broker's where it refused */
  get<Body>(path: string, query?: OperatorQuery): Promise<Body>;
  post<Body>(path: string, body?: object): Promise<Body>;
  delete<Body>(path: string): Promise<Body>;
}

/** What is undefined is left out. */
export type OperatorQuery = Readonly<Record<string, string | undefined>>;

interface Ask {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: object;
}

/** Speaks to the broker at this address. */
export function operatorClient(address: string, { username, password }: Login): OperatorClient {
  const login = Buffer.from(`${username}:${password}`).toString('base64');

  async function ask<Body>({ method, path, body }: Ask): Promise<Body> {
    const answer = await reach(`${address}${path}`, {
      method,
      headers: { authorization: `Basic ${login}`, 'content-type': 'application/json' },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(sentenceOf(answer.status, text));
    return JSON.parse(text) as Body;
  }

  return {
    get: (path, query = {}) => ask({ method: 'GET', path: `${path}${queryText(query)}` }),
    post: (path, body) => ask({ method: 'POST', path, body }),
    delete: (path) => ask({ method: 'DELETE', path }),
  };
}

async function reach(url: string, init: RequestInit): Promise<Response> {
  const where = 'PUBLIC_URL, or else HOST and PORT, say';
  try {
    return await fetch(url, init);
  } catch (error) {
    const { code = 'no answer' } = ((error as Error).cause ?? {}) as { code?: string };
    throw new Error(`The broker cannot be reached where ${where} (${code}). Does it run there?`, {
      cause: error,
    });
  }
}

function sentenceOf(status: number, text: string): string {
  if (status === 401)
    return `The broker does not know this operator: look at OPERATOR_USERNAME and OPERATOR_PASSWORD.`;
  return descriptionIn(text) ?? `The broker answered with status ${status}.`;
}

function descriptionIn(text: string): string | undefined {
  try {
    const { description, detail } = JSON.parse(text) as { description?: unknown; detail?: unknown };
    if (typeof description !== 'string') return undefined;
    return typeof detail === 'string' ? `${description} ${detail}` : description;
  } catch {
    return undefined;
  }
}

function queryText(query: OperatorQuery): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, value);
  return given.size === 0 ? '' : `?${given.toString()}`;
}
