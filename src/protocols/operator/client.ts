import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { readOperatorAccess, type OperatorAccess } from '../../config/config.ts';
import { operatorPasswordFile } from '../../program/opening/secrets.ts';

export interface OperatorClient {
  /** Gives the answer's body. @throws Error with a sentence, of the broker's where it refused */
  get<Body>(path: string, query?: OperatorQuery): Promise<Body>;
  post<Body>(path: string, body?: object): Promise<Body>;
}

/** What is undefined is left out. */
export type OperatorQuery = Readonly<Record<string, string | undefined>>;

interface Ask {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: object;
}

/** Speaks to the broker that runs with the same variables as this command. */
export function operatorClient(): OperatorClient {
  const access = readOperatorAccess();
  const address = addressOf(access);
  const password = passwordOf(access);
  const login = Buffer.from(`${access.operatorUsername}:${password}`).toString('base64');

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
  };
}

/** Where it is reached from elsewhere, when that was said; else where it listens. */
function addressOf({ publicUrl, host, port }: OperatorAccess): string {
  if (publicUrl !== undefined) return publicUrl;
  if (port === 0)
    throw new Error('With PORT 0 nobody knows where the broker listens: set PORT or PUBLIC_URL.');
  const name = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host ?? ''] ?? host ?? '127.0.0.1';
  return `http://${isIPv6(name) ? `[${name}]` : name}:${port}`;
}

function passwordOf({ operatorPassword, dataDir }: OperatorAccess): string {
  if (operatorPassword !== undefined) return operatorPassword;
  const file = join(dataDir, operatorPasswordFile);
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new Error(
      `The operator's password is not known: OPERATOR_PASSWORD is not set, and ${file} cannot be read.`,
      { cause: error },
    );
  }
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
