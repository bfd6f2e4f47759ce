import type { Peer } from '../../broker/context.ts';
import { Failure, Refusal, type RefusalCode } from '../../broker/errors.ts';
import type { Node } from '../../broker/nodes.ts';
import type { Login } from '../protocol.ts';
import type { ExecAnswer, LogAnswer } from './wire.ts';

/** Milliseconds for the way to the other broker and back, beside what it was asked to do. */
const travel = 10_000;

/**
 * Speaks to the brokers of other nodes, by their operator API.
 * @param login of the operators, the same at every broker; absent: nobody can be asked
 */
export function createPeers(login: Login | undefined): (node: Node) => Peer {
  return (node) => ({
    async exec(instanceId, execution) {
      const question = { method: 'POST', path: 'exec', body: execution, limit: execution.timeout + travel };
      const { results } = await ask<ExecAnswer>(node, instanceId, login, question);
      return results;
    },
    async log(instanceId, { unit, lines }) {
      const query: Record<string, string> = { lines: String(lines) };
      if (unit !== undefined) query['unit'] = unit;
      const question = { method: 'GET', path: 'log', query, limit: travel };
      const { units } = await ask<LogAnswer>(node, instanceId, login, question);
      return units;
    },
  });
}

interface Question {
  readonly method: string;
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** Milliseconds. */
  readonly limit: number;
}

async function ask<Answer>(
  node: Node,
  instanceId: string,
  login: Login | undefined,
  question: Question,
): Promise<Answer> {
  if (!login) throw unreachable(node, 'its operator API is off: OPERATOR_PASSWORD is not set here');
  const { method, path, query, body, limit } = question;
  // A broker that is not this node refuses.
  const asked = new URLSearchParams({ ...query, node: node.name }).toString();
  const url = `${node.url}/operator/instances/${encodeURIComponent(instanceId)}/${path}?${asked}`;
  const header = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`;
  const init = {
    method,
    headers: { authorization: header, 'content-type': 'application/json' },
    redirect: 'error' as const,
    signal: AbortSignal.timeout(limit),
    body: body && JSON.stringify(body),
  };
  const { status, text } = await exchange(node, url, init);
  if (status === 200) return read<Answer>(node, text);
  throw errorIn(text) ?? unreachable(node, whyNot(status));
}

async function exchange(
  node: Node,
  url: string,
  init: RequestInit,
): Promise<{ status: number; text: string }> {
  try {
    const answer = await fetch(url, init);
    return { status: answer.status, text: await answer.text() };
  } catch (error) {
    const { name, cause } = error as { name?: string; cause?: { code?: string } };
    const reason = name === 'TimeoutError' ? 'it did not answer in time' : (cause?.code ?? 'no connection');
    throw unreachable(node, reason);
  }
}

function read<Answer>(node: Node, text: string): Answer {
  try {
    return JSON.parse(text) as Answer;
  } catch {
    throw unreachable(node, 'it answered something else than a broker does');
  }
}

function whyNot(status: number): string {
  return status === 401 ? 'it has another OPERATOR_PASSWORD' : `it answered with status ${status}`;
}

function unreachable(node: Node, reason: string): Refusal {
  return new Refusal(
    'unavailable',
    `The node ${node.name}, where this instance is, cannot be asked: ${reason}. Try again later.`,
  );
}

/** What the other broker refused, or failed to do, is told here with its own sentence. */
function errorIn(text: string): Refusal | Failure | undefined {
  try {
    const { error, description, field, detail } = JSON.parse(text) as Record<string, unknown>;
    if (typeof description !== 'string') return undefined;
    if (error === 'failed')
      return new Failure(error, description, typeof detail === 'string' ? { detail } : {});
    const code = passedOn.find((one) => one === error);
    return code && new Refusal(code, description, typeof field === 'string' ? field : undefined);
  } catch {
    return undefined;
  }
}

const passedOn: readonly RefusalCode[] = [
  'invalid',
  'not-found',
  'conflict',
  'busy',
  'occupied',
  'not-ready',
  'unsupported',
  'unreadable',
  'unavailable',
];
